// Blocking queries: how soon a waiting one wakes after the write was answered, and what waiting costs.
import { type ClientRequest, Agent as HttpAgent, request } from "node:http";
import { mockTaskJob } from "../kit/jobs.ts";
import { evaluated } from "./evaluation.ts";
import { cpuMs, residentMb } from "./live/processes.ts";
import { regionOn } from "./live/region.ts";
import { inParallel, Requests } from "./live/requests.ts";
import { percentile, ROUNDS, rounds } from "./live/rounds.ts";
import { figure, type Scenario, type Table } from "./scenario.ts";

const OTHERS = [0, 1_000, 10_000] as const;
const SAMPLES = 100;
const CROWD = 1_000;
const IDLE_MS = 10_000;

export const blocking: Scenario = {
  name: "blocking",
  summary: "blocking queries: wake-up with up to 10,000 others waiting, 1,000 on one job, cost while idle",
  async run() {
    await using live = await regionOn("embedded");
    const { http, pid } = live.server;
    const requests = new Requests();
    const job = (id: string, priority: number) => ({ Job: { ...mockTaskJob(id, { count: 0 }), Priority: priority } });
    await inParallel(Math.max(...OTHERS), 64, (n) => requests.put(`${http}/v1/jobs`, job(`other-${n}`, 50)));
    const { EvalID } = await requests.put<Registered>(`${http}/v1/jobs`, job("watched", 50));
    await evaluated(requests, http, EvalID);
    const wakes: Table["rows"] = [];
    const waiting = new Waiting(http);
    let priority = 1;
    const restMb = residentMb(pid);
    for (const others of OTHERS) {
      await waiting.grow(others);
      const spread = await rounds(ROUNDS, async () => {
        const times: number[] = [];
        for (let n = 0; n < SAMPLES; n++) {
          priority = (priority % 90) + 1;
          times.push(await wake(http, requests, 1, () => requests.put(`${http}/v1/jobs`, job("watched", priority))));
        }
        return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
      });
      wakes.push([`one woken, ${figure(others)} others waiting`, spread.p50, spread.p99]);
    }
    const crowd = await rounds(ROUNDS, async () => {
      priority = (priority % 90) + 1;
      const last = await wake(http, requests, CROWD, () => requests.put(`${http}/v1/jobs`, job("watched", priority)));
      return { last };
    });
    const before = cpuMs([pid]);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const idle = (100 * (cpuMs([pid]) - before)) / IDLE_MS;
    const mb = residentMb(pid) - restMb;
    waiting.end();
    requests.close();
    const most = Math.max(...OTHERS);
    return [
      {
        title: "Wake-up, ms after the write was answered (negative: before it)",
        columns: ["", "p50", "p99"],
        rows: wakes,
      },
      {
        title: "1,000 waiting on one job",
        columns: ["", "ms after the write was answered"],
        rows: [["last one woken", crowd.last]],
      },
      {
        title: `Cost of ${figure(most)} that wait`,
        columns: ["", ""],
        rows: [
          ["CPU % of one core, nothing happening", figure(idle)],
          ["resident memory, bytes each (socket included)", figure((mb * 2 ** 20) / most)],
        ],
      },
    ];
  },
};

/** Milliseconds from the answer of the write to the last of `count` blocking queries of the job. */
async function wake(
  http: string,
  requests: Requests,
  count: number,
  write: () => Promise<Registered>,
): Promise<number> {
  const { index } = await requests.send("GET", `${http}/v1/job/watched`);
  const agent = count === 1 ? ONE : MANY;
  const sent: Promise<void>[] = [];
  const ends = Array.from({ length: count }, () => {
    const { written, ended } = ask(`${http}/v1/job/watched?index=${index}&wait=60s`, agent);
    sent.push(written);
    return ended;
  });
  await Promise.all(sent);
  // Until the server has them all: it answers in order of arrival only per connection.
  await until(requests, http, count);
  let answered = Number.NaN;
  const writing = write().then((it) => {
    answered = performance.now();
    return it;
  });
  const last = Math.max(...(await Promise.all(ends)));
  // The end of its evaluation changes the job too: the next query is not to meet that.
  await evaluated(requests, http, (await writing).EvalID);
  return last - answered;
}

interface Registered {
  readonly EvalID: string;
}

const ONE = new HttpAgent({ keepAlive: true });
const MANY = new HttpAgent({ keepAlive: true, maxSockets: CROWD });

function ask(url: string, agent: HttpAgent): { written: Promise<void>; ended: Promise<number> } {
  const { promise: written, resolve: wrote } = Promise.withResolvers<void>();
  const ended = new Promise<number>((resolve, reject) => {
    const sent: ClientRequest = request(url, { agent }, (response) => {
      // The first byte is what wakes a client.
      resolve(performance.now());
      response.resume();
    });
    sent.on("error", reject);
    sent.end(wrote);
  });
  return { written, ended };
}

let base = 0;

/** Until the server counts `count` blocking queries beside those that wait all the time. */
async function until(requests: Requests, http: string, count: number): Promise<void> {
  while ((await waitingNow(requests, http)) < base + count) await new Promise((resolve) => setImmediate(resolve));
}

async function waitingNow(requests: Requests, http: string): Promise<number> {
  const { stats } = await requests.get<{ stats: { nomad: { blocking_queries: string } } }>(`${http}/v1/agent/self`);
  return Number(stats.nomad.blocking_queries);
}

/** Queries of other jobs, each on a connection of its own, that nothing wakes. */
class Waiting {
  readonly #http: string;
  readonly #agent = new HttpAgent({ keepAlive: true });
  readonly #requests: ClientRequest[] = [];

  constructor(http: string) {
    this.#http = http;
  }

  async grow(count: number): Promise<void> {
    const requests = new Requests();
    while (this.#requests.length < count) {
      const sent = request(`${this.#http}/v1/job/other-${this.#requests.length}?index=1000000000&wait=10m`, {
        agent: this.#agent,
      });
      sent.on("error", () => undefined);
      sent.end();
      this.#requests.push(sent);
      if (this.#requests.length % 500 === 0)
        while ((await waitingNow(requests, this.#http)) < this.#requests.length)
          await new Promise((resolve) => setTimeout(resolve, 5));
    }
    base = count;
    requests.close();
  }

  end(): void {
    for (const sent of this.#requests) sent.destroy();
    this.#agent.destroy();
  }
}
