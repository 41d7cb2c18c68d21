// From the PUT of a job to the end of its evaluation, on 5,000 simulated nodes.
import type { Agent } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";
import { regionOn } from "./live/region.ts";
import { gauge, inParallel, Requests } from "./live/requests.ts";
import { atRest } from "./live/rest.ts";
import { percentile, ROUNDS } from "./live/rounds.ts";
import { median, type Scenario, type Table } from "./scenario.ts";

const NODES = 5_000;
const COUNT = 10;
/** The p99 of a hundred is the second worst, and says more of the machine than of the server. */
const SAMPLES = 300;
/** V8 has compiled what they run through by then; the first ones take twice as long. */
const WARM_UP = 2_000;
const PLACED = 100_000;

export const evaluation: Scenario = {
  name: "evaluation",
  summary: "PUT of a job of 10 to its evaluation complete, 5,000 nodes, R3; empty, and with 100,000 in place",
  async run() {
    await using live = await regionOn("R3");
    const { cluster, region, server } = live;
    await cluster.addSimulatedNodes(region, NODES);
    const requests = new Requests();
    const rows: Table["rows"] = [];
    await series(requests, server.http, "warm", WARM_UP);
    rows.push(["empty", ...(await spread(requests, server, "empty"))]);
    await inParallel(PLACED / 1_000, 4, (n) =>
      requests.put(`${server.http}/v1/jobs`, { Job: mockTaskJob(`base-${n}`, { count: 1_000, cpu: 20 }) }),
    );
    while ((await running(requests, server.http)) < PLACED) await pause(500);
    rows.push([`${PLACED.toLocaleString("en-US")} in place`, ...(await spread(requests, server, "full"))]);
    requests.close();
    return [{ title: "PUT to evaluation complete, ms", columns: ["allocations", "p50", "p99"], rows }];
  },
};

async function spread(requests: Requests, server: Agent, prefix: string) {
  const all: number[][] = [];
  // All reported healthy too, and no snapshot being made: what is measured is not to compete with that.
  await atRest(server);
  for (let round = 0; round < ROUNDS; round++) {
    all.push(await series(requests, server.http, `${prefix}-${round}`, SAMPLES));
  }
  return [0.5, 0.99].map((share) => median(all.map((times) => percentile(times, share))));
}

/** One after the other; milliseconds each. */
async function series(requests: Requests, http: string, prefix: string, samples: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < samples; n++) {
    const Job = mockTaskJob(`${prefix}-${n}`, { count: COUNT, cpu: 1 });
    const from = performance.now();
    const { EvalID } = await requests.put<{ EvalID: string }>(`${http}/v1/jobs`, { Job });
    await evaluated(requests, http, EvalID);
    times.push(performance.now() - from);
  }
  return times;
}

/** Until the evaluation is complete, by blocking queries. */
export async function evaluated(requests: Requests, http: string, id: string): Promise<void> {
  for (let after = 0; ; ) {
    const { index, text } = await requests.send("GET", `${http}/v1/evaluation/${id}?index=${after}&wait=30s`);
    const { Status } = JSON.parse(text) as { Status: string };
    if (Status === "complete") return;
    if (Status !== "pending") throw new Error(`evaluation ${id} is ${Status}`);
    after = index;
  }
}

/** Allocations told running, by the summaries of all jobs. */
export async function running(requests: Requests, http: string): Promise<number> {
  interface Stub {
    JobSummary: { Summary: Record<string, { Running: number }> };
  }
  const jobs = await requests.get<Stub[]>(`${http}/v1/jobs?stale`);
  const groups = jobs.flatMap(({ JobSummary }) => Object.values(JobSummary.Summary));
  return groups.reduce((sum, { Running }) => sum + Running, 0);
}

/** Until so many allocations are in the state. */
export async function placed(requests: Requests, http: string, count: number): Promise<void> {
  while ((await gauge(requests, http, "state.allocations")) < count) await pause(50);
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
