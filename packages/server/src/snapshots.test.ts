// Snapshots made in a process out of the last one and the log behind it: the same state, verified; and
// one that would hold another state is not kept.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeRecord, SnapshotFolder } from "@steppe/log";
import { mockJob, mockNode } from "@steppe/model/internal";
import { RegisterJob } from "@steppe/proto";
import { createFiles } from "@steppe/runtime";
import type { State } from "@steppe/state";
import { Ledger } from "@steppe/state/internal";
import { expect, onTestFinished, test } from "vitest";
import { compact } from "./durability/compactor.ts";
import { decodeSnapshotPieces } from "./durability/decode-pieces.ts";
import type { EntrySource } from "./durability/entry-source.ts";
import { createLogger } from "./logger.ts";

const LOG = { epoch: 0, id: "", base: 0 };
const logger = createLogger("silent", true);

function world() {
  const folder = mkdtempSync(join(tmpdir(), "steppe-snapshots-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const ledger = new Ledger();
  const snapshots = new SnapshotFolder(createFiles(), folder, logger);
  async function* pieces(from: number, to: number) {
    for (let index = from; index <= to; index++)
      yield encodeRecord({ index, payload: ledger.entries[index - 1] as Uint8Array });
  }
  const source = { kind: "pieces", pieces } as const;
  const stop = new AbortController();
  const { signal } = stop;
  const make = (from: number | undefined, digest = ledger.state.digest.value, given: EntrySource = source) =>
    compact({
      ...{ folder, urgent: false, region: "us", log: LOG, from, index: ledger.state.index, digest },
      ...{ source: given, signal },
    });
  return { folder, ledger, snapshots, make, stop, pieces };
}

function fill(ledger: Ledger, from: number, count: number): void {
  for (let n = from; n < from + count; n++) {
    ledger.run({ $case: "RegisterNode", value: { Node: mockNode({}, n) } });
    const job = mockJob({ ID: `job-${n}` });
    ledger.run({ $case: "RegisterJob", value: { ...RegisterJob.create(), Job: job } });
  }
}

function load(snapshots: SnapshotFolder, index: number): Promise<State> {
  return decodeSnapshotPieces(snapshots.records(index));
}

test("snapshot: the first one and one on top of it, hold what the replica has", async () => {
  const { folder, ledger, snapshots, make } = world();
  fill(ledger, 0, 5);
  await make(undefined);
  fill(ledger, 5, 5);
  await make(10);
  expect(await snapshots.newest()).toMatchObject({
    index: 20,
    region: "us",
    digest: ledger.state.digest.value,
    log: LOG,
  });
  const state = await load(snapshots, 20);
  expect(state.jobs.byKey.size).toBe(10);
  fill(ledger, 10, 1);
  expect(ledger.replay(state).digest.value).toBe(ledger.state.digest.value);
  await snapshots.keepOnly(20);
  expect(readdirSync(folder)).toEqual(["0000000000000020.snapshot"]);
});

test("snapshot: what comes out is another state, nothing is kept of it", async () => {
  const { folder, ledger, make } = world();
  fill(ledger, 0, 2);
  await expect(make(undefined, 1)).rejects.toThrow("lead to digest");
  expect(readdirSync(folder)).toEqual([]);
});

/** Those with this text among their arguments. */
function processesOf(text: string): number[] {
  const isOf = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
    } catch {
      // It ended meanwhile.
      return false;
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isOf(name))
    .map(Number);
}

/** Gives out what there is, and then nothing more, until it is left alone. */
function stalled(pieces: (from: number, to: number) => AsyncIterable<Uint8Array>) {
  const begun = Promise.withResolvers<void>();
  const source: EntrySource = {
    kind: "pieces",
    async *pieces(from, to) {
      yield* pieces(from, to - 1);
      begun.resolve();
      await new Promise(() => undefined);
    },
  };
  return { source, begun: begun.promise };
}

test("snapshot: the server stops while it is made, it is given up at once and nothing is left", async () => {
  const { folder, ledger, make, stop, pieces } = world();
  fill(ledger, 0, 2);
  const { source, begun } = stalled(pieces);
  const made = make(undefined, ledger.state.digest.value, source);
  await begun;
  stop.abort(new Error("the server stops"));
  await expect(made).rejects.toThrow("the server stops");
  expect(readdirSync(folder)).toEqual([]);
});

test("snapshot: its process is killed, it fails and says so", async () => {
  const { folder, ledger, make, pieces } = world();
  fill(ledger, 0, 2);
  const { source, begun } = stalled(pieces);
  const made = make(undefined, ledger.state.digest.value, source);
  const failed = expect(made).rejects.toThrow("process ended with SIGKILL");
  await begun;
  for (const pid of processesOf(folder)) process.kill(pid, "SIGKILL");
  await failed;
});

test("snapshot: its entries cannot be read, it fails with that reason", async () => {
  const { ledger, make } = world();
  fill(ledger, 0, 2);
  const source: EntrySource = {
    kind: "pieces",
    // biome-ignore lint/correctness/useYield: it has none to give.
    async *pieces() {
      throw new Error("record 1 was dropped");
    },
  };
  await expect(make(undefined, ledger.state.digest.value, source)).rejects.toThrow("record 1 was dropped");
});
