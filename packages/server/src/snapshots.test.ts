// Snapshots made in a thread out of the last one and the log behind it: the same state, verified; and
// one that would hold another state is not kept.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LogRecord, SnapshotFolder } from "@steppe/log";
import { mockJob, mockNode } from "@steppe/model/internal";
import { RegisterJob } from "@steppe/proto";
import { createFiles } from "@steppe/runtime";
import type { State } from "@steppe/state";
import { Ledger } from "@steppe/state/internal";
import { expect, onTestFinished, test } from "vitest";
import { compact } from "./durability/compactor.ts";
import { decodeSnapshotPieces } from "./durability/decode-pieces.ts";
import { createLogger } from "./logger.ts";

const LOG = { epoch: 0, id: "", base: 0 };
const logger = createLogger("silent", true);

function world() {
  const folder = mkdtempSync(join(tmpdir(), "steppe-snapshots-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const ledger = new Ledger();
  const snapshots = new SnapshotFolder(createFiles(), folder, logger);
  const read = async (from: number): Promise<LogRecord[]> =>
    ledger.entries.slice(from - 1, from + 2).map((payload, i) => ({ index: from + i, payload }));
  const make = (from: number | undefined, digest = ledger.state.digest.value) =>
    compact({ folder, urgent: false, region: "us", log: LOG, from, index: ledger.state.index, digest, read });
  return { folder, ledger, snapshots, make };
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
