// Reading back from a server's own journal and its last but one snapshot, over real files.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogIdentity, ReplicatedLog } from "@steppe/log";
import { silentLogger } from "@steppe/model";
import { Command, Entry, NodePool } from "@steppe/proto";
import { createFiles } from "@steppe/runtime";
import { apply, State } from "@steppe/state";
import { expect, onTestFinished, test } from "vitest";
import { type LocalStore, openLocalStore } from "../durability/local-store.ts";
import { replayEvents } from "./replay-events.ts";

const LOG: LogIdentity = { epoch: 0, id: "a", base: 0 };
const NEVER = new AbortController().signal;

/** A server's copy whose entry N makes node pool `pN`. */
async function world() {
  const folder = mkdtempSync(join(tmpdir(), "steppe-replay-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const open = () => openLocalStore({ files: createFiles(), folder, region: "us", logger: silentLogger });
  const store = await open();
  onTestFinished(() => store.journal.close());
  await store.journal.restart(LOG, 0);
  const state = new State();
  const grow = async (upTo: number) => {
    while (state.index < upTo) {
      const index = state.index + 1;
      const NodePools = [NodePool.create({ Name: `p${index}` })];
      const Kind = { $case: "UpsertNodePools", value: { NodePools, OnlyNew: false } } as const;
      const entry = { ...Entry.create(), Time: index, Commands: [{ ...Command.create(), Kind }] };
      const payload = Entry.encode(entry).finish();
      await store.journal.append([{ index, payload }]);
      apply(state, index, Entry.decode(payload));
    }
    await store.saveSnapshot(state, LOG);
  };
  return { store, open, grow };
}

async function keys(store: LocalStore, from: number): Promise<string[]> {
  const log = {} as ReplicatedLog;
  const found: string[] = [];
  for await (const { index, events } of await replayEvents(log, store, { index: from, atHand: 1000 }, NEVER)) {
    if (index >= from) found.push(...events().map(({ Key }) => Key));
  }
  return found;
}

test("events, before the newest snapshot, are read back from the one before it", async () => {
  const { store, grow } = await world();
  await grow(3);
  expect(await keys(store, 1)).toEqual(["p1", "p2", "p3"]);
  await grow(6);
  expect(await keys(store, 5)).toEqual(["p5", "p6"]);
  await grow(8);
  expect(await keys(store, 7)).toEqual(["p7", "p8"]);
  expect(await store.snapshots.indexes()).toEqual([6, 8]);
});

test("events, also after a restart; what is older than the journal and every snapshot is refused with the oldest there is", async () => {
  const { store, grow, open } = await world();
  await grow(3);
  // As after a long time: the first entries are gone.
  await store.journal.restart(LOG, 3);
  for (const upTo of [6, 9]) await grow(upTo);
  await store.journal.close();
  const again = await open();
  onTestFinished(() => again.journal.close());
  expect(await keys(again, 7)).toEqual(["p7", "p8", "p9"]);
  await expect(keys(again, 3)).rejects.toThrow("the oldest index it still has is 7");
});
