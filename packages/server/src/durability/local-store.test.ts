import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogIdentity, RegionLog } from "@steppe/log";
import { createFiles } from "@steppe/runtime";
import { encodeSnapshot, State } from "@steppe/state";
import { afterEach, describe, expect, test } from "vitest";
import { silentLogger } from "../testing/silent-logger.ts";
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
