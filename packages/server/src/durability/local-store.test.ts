import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogIdentity, RegionLog } from "@steppe/log";
import { silentLogger } from "@steppe/model";
import { createFiles } from "@steppe/runtime";
import { canMount, smallDisk } from "@steppe/runtime/internal";
import { encodeSnapshot, State } from "@steppe/state";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { openLocalStore } from "./local-store.ts";

const FIRST: LogIdentity = { epoch: 0, id: "", base: 0 };
const REBUILT: LogIdentity = { epoch: 1, id: "b", base: 5 };

/** A log that was rebuilt from somebody's journal and has no record of its own yet. */
function rebuiltLog(): RegionLog {
  const state = new State();
  state.goOnAt(REBUILT.base);
  const data = Buffer.concat([...encodeSnapshot(state)]);
  const log: Partial<RegionLog> = {
    identity: REBUILT,
    firstIndex: async () => REBUILT.base + 1,
    loadSnapshot: async () => ({ index: REBUILT.base, data }),
  };
  return log as RegionLog;
}

/** The region's first log, cut behind a snapshot long after the server was last there. */
function cutLog(index: number): RegionLog {
  const state = new State();
  state.goOnAt(index);
  const data = Buffer.concat([...encodeSnapshot(state)]);
  const log: Partial<RegionLog> = {
    identity: FIRST,
    firstIndex: async () => index - 9,
    loadSnapshot: async () => ({ index, data }),
  };
  return log as RegionLog;
}

const FOLLOW = { identity: FIRST, verdict: { kind: "follow" }, rebuilt: false } as const;

async function storeWith(folder: string, entries: number) {
  const store = await openLocalStore({ files: createFiles(), folder, region: "eu", logger: silentLogger });
  if (entries === 0) return store;
  await store.journal.restart(FIRST, 0);
  const payload = new Uint8Array([1]);
  await store.journal.append(Array.from({ length: entries }, (_, n) => ({ index: n + 1, payload })));
  return store;
}

describe("a server that was away for long, the log no longer has what comes next", () => {
  test.each([
    ["was there once", 5],
    ["is new", 0],
  ])("%s: begins with the log's own snapshot, also when opened again", async (_, entries) => {
    const folder = mkdtempSync(join(tmpdir(), "steppe-store-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const store = await storeWith(folder, entries);
    await store.follow(cutLog(100), FOLLOW);
    expect(store.position()).toMatchObject({ identity: FIRST, last: 100 });
    await store.journal.append([{ index: 101, payload: new Uint8Array([1]) }]);
    await store.journal.close();
    const again = await storeWith(folder, 0);
    expect(again.position()).toMatchObject({ identity: FIRST, last: 101 });
    expect((await again.loadSnapshot()).index).toBe(100);
    await again.journal.close();
  });

  test.runIf(canMount)("its disk is full or read-only, says so and keeps what it had", async () => {
    using disk = smallDisk(32);
    const store = await storeWith(disk.folder, 5);
    await store.journal.close();
    writeFileSync(join(disk.folder, "filler"), Buffer.alloc(12_000));
    const filler = join(disk.folder, "more");
    for (let n = 0; ; n++) {
      try {
        writeFileSync(`${filler}-${n}`, Buffer.alloc(4096));
      } catch {
        break;
      }
    }
    await expect(store.follow(cutLog(100), FOLLOW)).rejects.toMatchObject({
      code: "full",
      message: expect.stringContaining("disk is full"),
    });
    const opened = await storeWith(disk.folder, 0);
    expect(opened.position()).toMatchObject({ identity: FIRST, last: 5 });
    await opened.journal.close();
    for (const name of readdirSync(disk.folder)) if (/^(filler|more)/.test(name)) rmSync(join(disk.folder, name));
    disk.readOnly(true);
    await expect(store.follow(cutLog(100), FOLLOW)).rejects.toMatchObject({ code: "read-only" });
    disk.readOnly(false);
    const again = await storeWith(disk.folder, 0);
    expect(again.position()).toMatchObject({ identity: FIRST, last: 5 });
    await again.follow(cutLog(100), FOLLOW);
    expect(again.position()).toMatchObject({ last: 100 });
    await again.journal.close();
  });
});

describe("a server's own copy, the region's log was rebuilt", () => {
  const folder = mkdtempSync(join(tmpdir(), "steppe-store-"));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    [
      "by another server, keeps its journal beside: it may hold other records",
      false,
      ["0000000000000001.journal.0.orphaned"],
    ],
    ["by this server, keeps nothing: the log has all of it", true, []],
  ])("%s", async (_, rebuilt, kept) => {
    const store = await openLocalStore({ files: createFiles(), folder, region: "eu", logger: silentLogger });
    await store.journal.restart(FIRST, 0);
    const payload = new Uint8Array([1]);
    await store.journal.append([1, 2, 3, 4, 5].map((index) => ({ index, payload })));

    await store.follow(rebuiltLog(), { identity: REBUILT, verdict: { kind: "adopt", orphans: 0 }, rebuilt });

    expect(readdirSync(join(folder, "journal")).filter((name) => name.endsWith(".orphaned"))).toEqual(kept);
    expect(store.position()).toMatchObject({ identity: REBUILT, last: 5 });
    await store.journal.close();
  });
});
