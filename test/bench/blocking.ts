// Blocking queries: how soon a waiting one wakes after the write was answered, and what waiting costs.
import { mockTaskJob } from "../kit/jobs.ts";
import { evaluated } from "./evaluation.ts";
import { BareConnection } from "./live/bare-connection.ts";
import { INSPECTED, Inspected } from "./live/inspected.ts";
import { cpuMs, residentMb } from "./live/processes.ts";
import { regionOn } from "./live/region.ts";
import { inParallel, Requests } from "./live/requests.ts";
import { percentile, ROUNDS, rounds } from "./live/rounds.ts";
import { figure, type Scenario, type Table } from "./scenario.ts";

const OTHERS = [0, 1_000, 10_000] as const;
const MOST = Math.max(...OTHERS);
const SAMPLES = 100;
const CROWD = 1_000;
const IDLE_MS = 10_000;

export const blocking: Scenario = {
  name: "blocking",
  summary: "blocking queries: wake-up with up to 10,000 others waiting, 1,000 on one job, cost while idle",
  async run() {
    await using live = await regionOn("embedded", { environment: INSPECTED });
    const { http, pid } = live.server;
    const requests = new Requests();
    await inParallel(MOST, 64, (n) =>
      requests.put(`${http}/v1/jobs`, { Job: mockTaskJob(`other-${n}`, { count: 0 }) }),
    );
    const watched = await Watched.open(http, requests);
    await watched.write();
    const waiting = new Waiting(http, requests);
    const restMb = residentMb(pid);
    const wakes: Table["rows"] = [];
    const one = await connections(http, 1);
    for (const others of OTHERS) {
      await waiting.grow(others);
      const { p50, p99 } = await rounds(ROUNDS, async () => {
        const times: number[] = [];
        for (let n = 0; n < SAMPLES; n++) times.push((await watched.wake(one, others)).afterAnswer);
        return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
      });
      wakes.push([`one woken, ${figure(others)} others waiting`, p50, p99]);
    }
    const many = await connections(http, CROWD);
    // The first rounds of so many are those in which the code gets warm.
    for (let n = 0; n < 3; n++) await watched.wake(many, MOST);
    const crowd = await rounds(ROUNDS, () => watched.wake(many, MOST));
    for (const connection of [...one, ...many, watched]) connection.close();
    const idle = await idleCpu(pid);
    const residentBytes = ((residentMb(pid) - restMb) * 2 ** 20) / MOST;
    using inspected = await Inspected.open(live.server);
    const withAll = await inspected.liveBytes();
    await waiting.end();
    const liveBytes = (withAll - (await inspected.liveBytes())) / MOST;
    requests.close();
    return [
      {
        title: "Wake-up, ms after the write was answered (negative: before it)",
        columns: ["", "p50", "p99", "target: p50, p99 at most"],
        rows: wakes.map((row) => [...row, "0.05, 1.8"]),
      },
      {
        title: `${figure(CROWD)} waiting on one job, ${figure(MOST)} on others`,
        columns: ["", "ms", "target: at most"],
        rows: [
          ["last one woken, after the write was answered", crowd.afterAnswer, "40"],
          ["first to last woken", crowd.firstToLast, ""],
          ["last one woken, after the write was sent", crowd.afterWrite, ""],
        ],
      },
      {
        title: `Cost of ${figure(MOST)} that wait`,
        columns: ["", "", "target"],
        rows: [
          ["CPU % of one core, nothing happening", figure(idle), "near zero"],
          ["bytes each that live in the server's heap", figure(liveBytes), ""],
          ["bytes each of resident memory, with what the wake-ups left", figure(residentBytes), ""],
        ],
      },
    ];
  },
};

async function idleCpu(pid: number): Promise<number> {
  const before = cpuMs([pid]);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  return (100 * (cpuMs([pid]) - before)) / IDLE_MS;
}

function connections(http: string, count: number): Promise<BareConnection[]> {
  return Promise.all(Array.from({ length: count }, () => BareConnection.open(http)));
}

interface Woken {
  /** Ms from the answer of the write to the last one woken. */
  readonly afterAnswer: number;
  readonly afterWrite: number;
  readonly firstToLast: number;
}

/** The job that is waited for. Its writer reads answers as those who wait do: both are timed by their first byte. */
class Watched {
  readonly #http: string;
  readonly #requests: Requests;
  readonly #writer: BareConnection;
  #priority = 1;

  static async open(http: string, requests: Requests): Promise<Watched> {
    return new Watched(http, requests, await BareConnection.open(http));
  }

  private constructor(http: string, requests: Requests, writer: BareConnection) {
    this.#http = http;
    this.#requests = requests;
    this.#writer = writer;
  }

  /** When it was answered, in ms. */
  async write(woken: Promise<unknown> = Promise.resolve()): Promise<number> {
    this.#priority = (this.#priority % 90) + 1;
    const Job = { ...mockTaskJob("watched", { count: 0 }), Priority: this.#priority };
    const { beganMs, head, body } = await this.#writer.send("PUT", "/v1/jobs", JSON.stringify({ Job })).ended;
    if (!head.startsWith("HTTP/1.1 200 ")) throw new Error(`PUT of a job was answered ${head}: ${body}`);
    // Asking for the evaluation at once would keep this process from taking the other answers.
    await woken;
    const { EvalID } = JSON.parse(body) as { EvalID: string };
    // Its end changes the job too.
    await evaluated(this.#requests, this.#http, EvalID);
    return beganMs;
  }

  close(): void {
    this.#writer.close();
  }

  /** Waits on each of the connections and changes the job when the server has them all, beside `others`. */
  async wake(waiting: readonly BareConnection[], others: number): Promise<Woken> {
    const { index } = await this.#requests.send("GET", `${this.#http}/v1/job/watched`);
    const asked = waiting.map((connection) => connection.send("GET", `/v1/job/watched?index=${index}&wait=60s`));
    await Promise.all(asked.map(({ written }) => written));
    await untilWaiting(this.#requests, this.#http, waiting.length + others);
    const sentMs = performance.now();
    const woken = Promise.all(asked.map(({ ended }) => ended));
    const written = this.write(woken);
    const wokenMs = (await woken).map(({ beganMs }) => beganMs);
    const [first, last] = [Math.min(...wokenMs), Math.max(...wokenMs)];
    return { afterAnswer: last - (await written), afterWrite: last - sentMs, firstToLast: last - first };
  }
}

/** Queries of other jobs, each on a connection of its own, that nothing wakes. */
class Waiting {
  readonly #http: string;
  readonly #requests: Requests;
  readonly #connections: BareConnection[] = [];

  constructor(http: string, requests: Requests) {
    this.#http = http;
    this.#requests = requests;
  }

  async grow(count: number): Promise<void> {
    while (this.#connections.length < count) {
      // No more at once than a listening socket holds.
      for (const connection of await connections(this.#http, Math.min(500, count - this.#connections.length))) {
        const { ended } = connection.send("GET", `/v1/job/other-${this.#connections.length}?index=1000000000&wait=10m`);
        ended.catch(() => undefined);
        this.#connections.push(connection);
      }
    }
    await untilWaiting(this.#requests, this.#http, count);
  }

  async end(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    await untilWaiting(this.#requests, this.#http, 0);
  }
}

/** Until the server counts so many blocking queries. */
async function untilWaiting(requests: Requests, http: string, count: number): Promise<void> {
  interface Self {
    readonly stats: { readonly nomad: { readonly blocking_queries: string } };
  }
  for (;;) {
    const { stats } = await requests.get<Self>(`${http}/v1/agent/self`);
    if (Number(stats.nomad.blocking_queries) === count) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
