// Reads: a job, all of 10,000 jobs, a job's 1,000 allocations, as fresh as each mode asks.
import { mockTaskJob } from "../kit/jobs.ts";
import { cpuMs } from "./live/processes.ts";
import { type Log, regionOn } from "./live/region.ts";
import { gauge, inParallel, Requests } from "./live/requests.ts";
import { ROUNDS, rounds, SECONDS } from "./live/rounds.ts";
import { needWrk, wrk } from "./live/wrk.ts";
import { figure, type Scenario, type Table } from "./scenario.ts";

const JOBS = 10_000;
const ALLOCATIONS = 1_000;
const NODES = 20;
const MODES = ["stale", "default", "consistent"] as const;
const PATHS: readonly (readonly [what: string, path: string, concurrency: readonly number[]])[] = [
  ["job", "/v1/job/job-1", [1, 32]],
  [`list of ${JOBS.toLocaleString("en-US")} jobs`, "/v1/jobs", [1, 4]],
  [`${ALLOCATIONS.toLocaleString("en-US")} allocations of a job`, "/v1/job/large/allocations", [1, 4]],
];

export const read: Scenario = {
  name: "read",
  summary: "GET of a job, of a list of 10,000 jobs, of 1,000 allocations, in three consistency modes",
  async run() {
    needWrk();
    const rows: Table["rows"] = [];
    for (const log of ["embedded", "R3"] as const) rows.push(...(await readsOn(log)));
    return [
      {
        title: "Reads",
        columns: ["log", "what", "mode", "at once", "reads/s", "p50 ms", "p99 ms", "server CPU µs each", "KB each"],
        rows,
      },
    ];
  },
};

async function readsOn(log: Log): Promise<Table["rows"]> {
  await using live = await regionOn(log);
  const { cluster, region, server } = live;
  await cluster.addSimulatedNodes(region, NODES);
  const requests = new Requests();
  await requests.put(`${server.http}/v1/jobs`, { Job: mockTaskJob("large", { count: ALLOCATIONS }) });
  while ((await gauge(requests, server.http, "state.allocations")) < ALLOCATIONS) await pause(100);
  await inParallel(JOBS, 64, (n) =>
    requests.put(`${server.http}/v1/jobs`, { Job: mockTaskJob(`job-${n}`, { count: 0 }) }),
  );
  requests.close();
  const rows: Table["rows"] = [];
  for (const [what, path, concurrencies] of PATHS) {
    for (const mode of MODES) {
      for (const concurrency of concurrencies) {
        const url = `${server.http}${path}${mode === "default" ? "" : `?${mode}`}`;
        await wrk({ url, concurrency, seconds: 2 });
        const spread = await rounds(ROUNDS, async () => {
          const before = cpuMs([server.pid]);
          const { requests, perSecond, p50Ms, p99Ms, bytesEach } = await wrk({ url, concurrency, seconds: SECONDS });
          return { perSecond, p50Ms, p99Ms, cpu: ((cpuMs([server.pid]) - before) * 1e3) / requests, bytesEach };
        });
        const { perSecond, p50Ms, p99Ms, cpu, bytesEach } = spread;
        rows.push([log, what, mode, String(concurrency), perSecond, p50Ms, p99Ms, cpu, figure(bytesEach.median / 1e3)]);
      }
    }
  }
  return rows;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
