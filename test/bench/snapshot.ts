// How long an entry waits for its turn while a snapshot of a large state is made beside it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LogRecord, SnapshotFolder } from "@steppe/log";
import { Entry, Plan } from "@steppe/proto";
import { createClock, createFiles, createRandom } from "@steppe/runtime";
import { schedule, VerdictCache } from "@steppe/scheduler";
import { compact } from "@steppe/server";
import { apply, encodeSnapshot, type State } from "@steppe/state";
import type { Scenario } from "./scenario.ts";
import { commit, jobOf, machine, register, stateWith } from "./world.ts";

const NODES = 5_000;
const ALLOCATIONS = Number(process.env.STEPPE_BENCH_ALLOCATIONS ?? 1_000_000);
const COUNT = 1_000;
/** Entries a second while it is measured. */
const RATE = 200;
const LOG = { epoch: 0, id: "", base: 0 };

export const snapshot: Scenario = {
  name: "snapshot",
  summary: "latency of applying entries while a snapshot of 1,000,000 allocations is made",
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "steppe-bench-"));
    try {
      return [await measure(folder)];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function measure(folder: string) {
  const state = filled();
  const log: LogRecord[] = [];
  const from = state.index;
  const snapshots = new SnapshotFolder(createFiles(), folder, console as never);
  const about = { index: from, region: "us", digest: state.digest.value, time: state.time, log: LOG, version: "bench" };
  await snapshots.save(about, encodeSnapshot(state));
  const writer = new Writer(state, log);
  const quiet = await writer.during(() => createClock().after(10_000));
  const startedMs = performance.now();
  const read = async (next: number) => log.slice(next - from - 1, next - from - 1 + 500);
  const goal = { index: state.index, digest: state.digest.value };
  const busy = await writer.during(() => compact({ folder, region: "us", log: LOG, from, ...goal, read }));
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const bytes = (await createFiles().size(snapshots.pathOf(goal.index))) ?? 0;
  const row = (name: string, of: readonly number[]) => [
    name,
    String(of.length),
    ...[0.5, 0.99, 1].map((part) => `${percentile(of, part).toFixed(1)} ms`),
  ];
  return {
    title: `Snapshot: ${ALLOCATIONS.toLocaleString("en-US")} allocations, ${Math.round(bytes / 2 ** 20)} MiB, made in ${seconds} s; from when an entry is due to when it is applied, at ${RATE} entries a second`,
    columns: ["", "entries", "median", "p99", "longest"],
    rows: [row("no snapshot", quiet), row("while it is made", busy)],
  };
}

function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

/** Applies an entry every so often: each registers a small job. */
class Writer {
  readonly #state: State;
  readonly #log: LogRecord[];
  readonly #random = createRandom();

  constructor(state: State, log: LogRecord[]) {
    this.#state = state;
    this.#log = log;
  }

  /** Latencies in milliseconds, of entries that came due while the work went on. */
  async during(work: () => Promise<unknown>): Promise<number[]> {
    const latencies: number[] = [];
    let over = false;
    const done = work().finally(() => {
      over = true;
    });
    const clock = createClock();
    for (let due = performance.now(); !over; due += 1000 / RATE) {
      const wait = due - performance.now();
      if (wait > 0) await clock.after(wait);
      else await new Promise((resolve) => setImmediate(resolve));
      this.#applyOne();
      latencies.push(performance.now() - due);
    }
    await done;
    return latencies;
  }

  #applyOne(): void {
    const index = this.#state.index + 1;
    const Job = jobOf(`written-${index}`, [[20, 30, 1]]);
    const Kind = { $case: "RegisterJob" as const, value: { Job } };
    const entry = Entry.create({ Time: 4e9, Commands: [{ RequestID: "", IDSeed: this.#random.bytes(16), Kind }] });
    const payload = Entry.encode(entry).finish();
    apply(this.#state, index, Entry.decode(payload));
    this.#log.push({ index, payload });
  }
}

function filled(): State {
  const state = stateWith(Array.from({ length: NODES }, (_, i) => machine(i)));
  const random = createRandom();
  const cache = new VerdictCache();
  for (let placed = 0; placed < ALLOCATIONS; placed += COUNT) {
    const id = register(state, jobOf(`job-${placed}`, [[20, 30, COUNT]]));
    const evaluation = state.evaluations.get(id);
    if (evaluation === undefined) throw new Error(`no evaluation ${id}`);
    commit(state, Plan.decode(Plan.encode(schedule(state, evaluation, { now: 3e9, random, cache })).finish()));
  }
  return state;
}
