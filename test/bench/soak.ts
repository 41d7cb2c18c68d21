// An hour, or the minutes given, of churn at half of the highest rate: does anything grow?
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { mockTaskJob } from "../kit/jobs.ts";
import { PeakMemory, residentMb } from "./live/processes.ts";
import { regionOn } from "./live/region.ts";
import { Requests } from "./live/requests.ts";
import { percentile } from "./live/rounds.ts";
import { figure, type Scenario, type Table } from "./scenario.ts";

const MINUTES = Number(process.env.BENCH_MINUTES ?? 60);
/** Writes a second, where the highest rate is known from a quieter time. */
const RATE = process.env.BENCH_RATE === undefined ? undefined : Number(process.env.BENCH_RATE);
/** V8 compiles for about so long. */
const WARM_UP_MS = 20_000;
const CALIBRATION_MS = 10_000;
const AT_ONCE = 32;
/** Jobs that live at a time; the oldest is stopped for each new one. */
const LIVE = 2_000;
const SLICES = 12;
const COLUMNS = [
  "minute",
  "writes/s",
  "p50 ms",
  "p99 ms",
  "longest ms",
  "resident MB",
  "data folder MB",
  "last snapshot MB",
  "evaluations",
];
/** What is not to grow. */
const LEVEL = ["p99 ms", "resident MB", "data folder MB"];
/** What ended is garbage after a tenth of the time, so that there is a level for it to stay at. */
const GARBAGE_SECONDS = Math.ceil(MINUTES * 6);
const GARBAGE = [
  `job_gc_interval = "${Math.ceil(MINUTES * 2)}s"`,
  ...["job", "eval", "batch_eval", "deployment"].map((it) => `${it}_gc_threshold = "${GARBAGE_SECONDS}s"`),
].join("\n");

export const soak: Scenario = {
  name: "soak",
  summary:
    "churn (register, update, stop, GC) at half the highest rate for BENCH_MINUTES=60: memory, p99, size of the log",
  async run() {
    await using live = await regionOn("embedded", { serverOptions: GARBAGE });
    const { server, cluster, region } = live;
    await cluster.addSimulatedNodes(region, 50);
    const requests = new Requests(AT_ONCE * 2);
    const churn = new Churn(requests, server.http);
    await churn.run(WARM_UP_MS, Number.POSITIVE_INFINITY);
    const highest = await churn.run(CALIBRATION_MS, Number.POSITIVE_INFINITY);
    const rate = RATE ?? highest.perSecond / 2;
    const rows: Table["rows"] = [];
    using peak = new PeakMemory([server.pid]);
    for (let slice = 0; slice < SLICES; slice++) {
      const { perSecond, times } = await churn.run((MINUTES * 60_000) / SLICES, rate);
      const folder = join(cluster.folder, region.name, server.name, "data");
      const [resident, sizes] = [residentMb(server.pid), sizesMb(folder)];
      const { Count } = await requests.get<{ Count: number }>(`${server.http}/v1/evaluations/count`);
      rows.push([
        figure((MINUTES * (slice + 1)) / SLICES),
        ...[
          perSecond,
          percentile(times, 0.5),
          percentile(times, 0.99),
          percentile(times, 1),
          resident,
          sizes.all,
          sizes.snapshot,
          Count,
        ].map(figure),
      ]);
    }
    requests.close();
    const column = (name: string) => rows.map((row) => Number(String(row[COLUMNS.indexOf(name)]).replaceAll(",", "")));
    return [
      {
        title: `Soak: ${figure(MINUTES)} minutes at ${figure(rate)} writes/s (highest: ${figure(highest.perSecond)}); peak ${figure(peak.mb)} MB; garbage after ${GARBAGE_SECONDS} s`,
        columns: COLUMNS,
        rows,
      },
      {
        title: "Slope a minute, least squares over the second half",
        columns: LEVEL,
        rows: [LEVEL.map((name) => figure(slope(column(name).slice(SLICES / 2)) / (MINUTES / SLICES)))],
      },
    ];
  },
};

/** Registers jobs, updates each once and stops each when `LIVE` newer ones are there. */
class Churn {
  readonly #requests: Requests;
  readonly #http: string;
  #next = 0;

  constructor(requests: Requests, http: string) {
    this.#requests = requests;
    this.#http = http;
  }

  async run(forMs: number, perSecond: number): Promise<{ perSecond: number; times: number[] }> {
    const [from, times] = [performance.now(), [] as number[]];
    let begun = 0;
    const caller = async () => {
      for (;;) {
        const dueMs = from + (begun++ * 1e3) / perSecond;
        if (Math.max(dueMs, performance.now()) > from + forMs) return;
        const leftMs = dueMs - performance.now();
        if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
        const startMs = performance.now();
        await this.#write(this.#next++);
        times.push(performance.now() - startMs);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, caller));
    return { perSecond: (times.length * 1e3) / (performance.now() - from), times };
  }

  #write(n: number): Promise<unknown> {
    const id = Math.floor(n / 3);
    const job = (priority: number) => ({ Job: { ...mockTaskJob(`churn-${id}`, { cpu: 1 }), Priority: priority } });
    if (n % 3 === 0) return this.#requests.put(`${this.#http}/v1/jobs`, job(50));
    if (n % 3 === 1) return this.#requests.put(`${this.#http}/v1/jobs`, job(60));
    return id < LIVE
      ? this.#requests.put(`${this.#http}/v1/jobs`, job(70))
      : this.#requests.send("DELETE", `${this.#http}/v1/job/churn-${id - LIVE}?purge=true`);
  }
}

/** Of all in the folder, and of the newest snapshot that is whole. */
function sizesMb(folder: string): { all: number; snapshot: number } {
  // A file may be gone by now: journals and snapshots are replaced.
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" }).flatMap((name) => {
    const stats = statSync(join(folder, name), { throwIfNoEntry: false });
    return stats === undefined ? [] : [{ name, inode: stats.ino, size: stats.size / 2 ** 20 }];
  });
  // A snapshot's file has a name in two places.
  const sizes = new Map(found.map((it) => [it.inode, it.size]));
  const snapshots = found.filter((it) => it.name.endsWith(".snapshot")).sort((a, b) => (a.name < b.name ? -1 : 1));
  return { all: [...sizes.values()].reduce((sum, size) => sum + size, 0), snapshot: snapshots.at(-1)?.size ?? 0 };
}

function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, it) => sum + it, 0) / values.length;
  const over = values.reduce((sum, it, i) => sum + (i - middle) * (it - mean), 0);
  return over / values.reduce((sum, _, i) => sum + (i - middle) ** 2, 0);
}
