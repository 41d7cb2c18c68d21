// How long an entry waits for its turn while a snapshot of a large state is made beside it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { type Journal, type LogRecord, openJournal, SnapshotFolder } from "@steppe/log";
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
/** Behind the last snapshot, as many as a server has by default when it makes the next. */
const ENTRIES = 20_000;
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
  const files = createFiles();
  const snapshots = new SnapshotFolder(files, folder, console as never);
  const from = state.index;
  const about = { index: from, region: "us", digest: state.digest.value, time: state.time, log: LOG, version: "bench" };
  await snapshots.save(about, encodeSnapshot(state));
  const journal = await openJournal({ files, folder: join(folder, "journal"), logger: console as never });
  await journal.restart(LOG, from);
  const writer = new Writer(state, journal);
  await writer.fill(ENTRIES);
  const quiet = await writer.during(() => createClock().after(20_000));
  const startedMs = performance.now();
  const goal = { index: state.index, digest: state.digest.value };
  const source = { kind: "journal", folder: journal.folder } as const;
  const { signal } = new AbortController();
  const busy = await writer.during(() =>
    compact({ urgent: false, folder, region: "us", log: LOG, from, ...goal, source, signal }),
  );
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const bytes = (await files.size(snapshots.pathOf(goal.index))) ?? 0;
  await journal.close();
  const row = (name: string, { latencies, standstillMs }: Measured) => [
    name,
    String(latencies.length),
    ...[0.5, 0.99, 1].map((part) => `${percentile(latencies, part).toFixed(1)} ms`),
    ...standstillMs.map((ms) => `${ms.toFixed(1)} ms`),
  ];
  return {
    title: `Snapshot: ${ALLOCATIONS.toLocaleString("en-US")} allocations and ${(goal.index - from).toLocaleString("en-US")} entries behind the last one, ${Math.round(bytes / 2 ** 20)} MiB, made in ${seconds} s; from when an entry is due to when it is in the journal and applied, at ${RATE} entries a second; how long the event loop stood still`,
    columns: ["", "entries", "median", "p99", "longest", "loop p99", "loop longest"],
    rows: [row("no snapshot", quiet), row("while it is made", busy)],
  };
}

function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

interface Measured {
  /** Milliseconds, of entries that came due meanwhile. */
  readonly latencies: readonly number[];
  /** Of the event loop's delays: p99 and the longest. */
  readonly standstillMs: readonly number[];
}

/** Journals and applies an entry every so often, as a server does: each registers a small job. */
class Writer {
  readonly #state: State;
  readonly #journal: Journal;
  readonly #random = createRandom();

  constructor(state: State, journal: Journal) {
    this.#state = state;
    this.#journal = journal;
  }

  /** As fast as it goes. */
  async fill(entries: number): Promise<void> {
    for (let written = 0; written < entries; written += 500) await this.#take(Math.min(500, entries - written));
  }

  async during(work: () => Promise<unknown>): Promise<Measured> {
    const latencies: number[] = [];
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    let over = false;
    const done = work().finally(() => {
      over = true;
    });
    const clock = createClock();
    for (let due = performance.now(); !over; ) {
      const wait = due - performance.now();
      if (wait > 0) await clock.after(wait);
      // What came due meanwhile goes into one write, as from a log.
      const count = 1 + Math.max(0, Math.floor(((performance.now() - due) * RATE) / 1000));
      await this.#take(count);
      const now = performance.now();
      for (let n = 0; n < count; n++, due += 1000 / RATE) latencies.push(now - due);
    }
    await done;
    loop.disable();
    // Its timer takes a millisecond by itself.
    return { latencies, standstillMs: [loop.percentile(99), loop.max].map((ns) => ns / 1e6 - 1) };
  }

  async #take(count: number): Promise<void> {
    const records = Array.from({ length: count }, (_, n) => this.#record(this.#state.index + 1 + n));
    await this.#journal.append(records);
    for (const { index, payload } of records) apply(this.#state, index, Entry.decode(payload));
  }

  #record(index: number): LogRecord {
    const Job = jobOf(`written-${index}`, [[20, 30, 1]]);
    const Kind = { $case: "RegisterJob" as const, value: { Job } };
    const entry = Entry.create({ Time: 4e9, Commands: [{ RequestID: "", IDSeed: this.#random.bytes(16), Kind }] });
    return { index, payload: Entry.encode(entry).finish() };
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
