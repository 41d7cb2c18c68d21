// The journal keeps what it said is durable: cut at every byte, on a disk that fills up, with rotten bytes.
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFiles } from "@steppe/runtime";
import { canMount, smallDisk, unprivileged } from "@steppe/runtime/internal";
import { describe, expect, onTestFinished, test } from "vitest";
import { markOf } from "../identity.ts";
import type { LogRecord } from "../log.ts";
import { createQuietLogger } from "../testing/quiet-logger.ts";
import { type Journal, openJournal } from "./journal.ts";

const logger = createQuietLogger();
const files = createFiles();
const LOG = { epoch: 0, id: "", base: 0 };

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "steppe-journal-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function open(folder: string, segmentBytes = 1 << 20): Promise<Journal> {
  const journal = await openJournal({ files, folder, logger, segmentBytes });
  onTestFinished(() => journal.close());
  return journal;
}

const records = (from: number, to: number, size = 20): LogRecord[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({
    index: from + i,
    payload: Buffer.from(`record ${from + i} `.padEnd(size, ".")),
  }));

async function readAll(journal: Journal): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for (let next = journal.first; next <= journal.last; next = (all.at(-1)?.index ?? 0) + 1) {
    all.push(...(await journal.read(next)));
  }
  return all;
}

const textOf = (all: readonly LogRecord[]) => all.map(({ index, payload }) => [index, Buffer.from(payload).toString()]);

describe("journal", () => {
  test("opened again, has what was appended and goes on", async () => {
    const folder = temporaryFolder();
    const before = await open(folder, 200);
    await before.restart(LOG, 0);
    for (let n = 1; n <= 40; n += 2) await before.append(records(n, n + 1));
    await before.close();
    const journal = await open(folder, 200);
    expect(journal).toMatchObject({ identity: LOG, first: 1, last: 40 });
    expect(journal.lastMark).toEqual(before.lastMark);
    await journal.append(records(41, 41));
    expect(textOf(await readAll(journal))).toEqual(textOf(records(1, 41)));
    await journal.close();
  });

  test("cut behind a snapshot, keeps what is behind it", async () => {
    const folder = temporaryFolder();
    const journal = await open(folder, 200);
    await journal.restart(LOG, 0);
    for (let n = 1; n <= 40; n++) await journal.append(records(n, n));
    await journal.dropThrough(25);
    expect(journal.first).toBeGreaterThan(10);
    expect(journal.first).toBeLessThanOrEqual(26);
    await journal.close();
    expect(textOf(await readAll(await open(folder)))).toEqual(textOf(records(journal.first, 40)));
  });

  test("begun anew for another log, holds nothing of the first; its files stay where asked", async () => {
    const folder = temporaryFolder();
    const journal = await open(folder);
    await journal.restart(LOG, 0);
    await journal.append(records(1, 3));
    await journal.restart({ epoch: 1, id: "a", base: 9 }, 9, true);
    expect(journal).toMatchObject({ first: 10, last: 9, lastMark: undefined });
    await journal.append(records(10, 11));
    await journal.close();
    expect(await open(folder)).toMatchObject({ identity: { epoch: 1, id: "a", base: 9 }, first: 10, last: 11 });
    expect(readdirSync(folder)).toEqual(["0000000000000001.journal.0.orphaned", "0000000000000010.journal"]);
  });

  test("records that do not follow, are refused", async () => {
    const journal = await open(temporaryFolder());
    await journal.restart(LOG, 5);
    await expect(journal.append(records(5, 5))).rejects.toThrow("record 5 does not follow 5");
    await expect(journal.append(records(7, 7))).rejects.toThrow("record 7 does not follow 5");
  });

  test("read at any record, also of a size beyond what is read at a time, begins with that one and goes to the last", async () => {
    const folder = temporaryFolder();
    const written = await open(folder, 4 << 20);
    await written.restart(LOG, 0);
    // Of a few bytes, of some KiB, and now and then of more than a MiB.
    const sizeOf = (index: number) => (index % 97 === 0 ? 1_200_000 : index % 3 === 0 ? 9_000 : 40);
    const of = (index: number) => records(index, index, sizeOf(index))[0] as LogRecord;
    const all = Array.from({ length: 400 }, (_, n) => of(n + 1));
    for (let n = 0; n < all.length; n += 8) await written.append(all.slice(n, n + 8));
    for (const journal of [written, await open(folder, 4 << 20)]) {
      for (const from of [1, 2, 96, 97, 98, 250, 388, 389, 400]) {
        expect((await journal.read(from))[0]?.payload, `record ${from}`).toEqual(of(from).payload);
        expect(await journal.markAt(from)).toEqual(markOf(of(from)));
      }
      expect((await readAll(journal)).length).toBe(400);
      expect(await journal.read(401)).toEqual([]);
    }
  });

  test("a crash tears it at any byte: what was whole is there, and it takes records again", async () => {
    const folder = temporaryFolder();
    const journal = await open(folder);
    await journal.restart(LOG, 0);
    const ends: number[] = [];
    const name = readdirSync(folder)[0] as string;
    for (let n = 1; n <= 6; n++) {
      await journal.append(records(n, n, 10 + n));
      ends.push(readFileSync(join(folder, name)).length);
    }
    await journal.close();
    const whole = readFileSync(join(folder, name));
    for (let size = 0; size <= whole.length; size++) {
      const torn = temporaryFolder();
      copyFileSync(join(folder, name), join(torn, name));
      truncateSync(join(torn, name), size);
      // Half of the time the disk has garbage where the rest was to be.
      if (size % 2 === 1)
        writeFileSync(join(torn, name), Buffer.concat([whole.subarray(0, size), Buffer.alloc(30, 0x5a)]));
      const again = await open(torn);
      const kept = ends.filter((end) => end <= size).length;
      expect(again.last, `cut at ${size}`).toBe(kept);
      if (again.identity === undefined) continue;
      await again.append(records(kept + 1, kept + 1));
      expect(textOf(await readAll(again))).toEqual(
        textOf([
          ...records(1, 6)
            .slice(0, kept)
            .map(({ index }) => records(index, index, 10 + index)[0] as LogRecord),
          ...records(kept + 1, kept + 1),
        ]),
      );
      await again.close();
    }
  });

  test("bytes rotted in the middle, what is before them is kept and later segments are set aside", async () => {
    const folder = temporaryFolder();
    const journal = await open(folder, 200);
    await journal.restart(LOG, 0);
    for (let n = 1; n <= 20; n++) await journal.append(records(n, n));
    await journal.close();
    const [, second] = readdirSync(folder);
    const bytes = readFileSync(join(folder, second as string));
    bytes[bytes.length - 5] = (bytes[bytes.length - 5] as number) ^ 1;
    writeFileSync(join(folder, second as string), bytes);
    const again = await open(folder, 200);
    expect(again.last).toBeGreaterThan(1);
    expect(again.last).toBeLessThan(20);
    expect(textOf(await readAll(again))).toEqual(textOf(records(1, again.last)));
    expect(readdirSync(folder).some((name) => name.endsWith(".unused"))).toBe(true);
  });
});

describe("journal in a folder whose permissions are gone", () => {
  test("goes on in its segment, says so where it needs the next; repaired, it goes on once it may", async () => {
    const folder = temporaryFolder();
    const journal = await open(folder, 200);
    await journal.restart(LOG, 0);
    await journal.append(records(1, 1));
    let written = 1;
    {
      using _ = unprivileged();
      const error = await (async () => {
        for (; written < 100; written++) await journal.append(records(written + 1, written + 1));
      })().catch((it: unknown) => it);
      expect(error).toMatchObject({ code: "denied", message: expect.stringContaining("permission denied: give") });
      expect(journal.last).toBe(written);
    }
    await journal.repair();
    await journal.append(records(written + 1, written + 2));
    await journal.close();
    expect(textOf(await readAll(await open(folder, 200)))).toEqual(textOf(records(1, written + 2)));
  });
});

describe.runIf(canMount)("journal on a disk of 64 KiB", () => {
  test("that fills up, keeps what was durable; repaired, it goes on once there is room", async () => {
    using disk = smallDisk(64);
    await files.makeFolder(disk.folder);
    writeFileSync(join(disk.folder, "filler"), Buffer.alloc(30_000));
    const folder = join(disk.folder, "journal");
    const journal = await open(folder);
    await journal.restart(LOG, 0);
    let written = 0;
    const error = await (async () => {
      for (;;) {
        await journal.append(records(written + 1, written + 1, 1000));
        written += 1;
      }
    })().catch((it: unknown) => it);
    expect(error).toMatchObject({ code: "full" });
    expect(journal.last).toBe(written);
    await expect(journal.append(records(written + 1, written + 1))).rejects.toThrow("repaired first");

    await journal.repair();
    rmSync(join(disk.folder, "filler"));
    await journal.append(records(written + 1, written + 2, 1000));
    await journal.close();
    expect(textOf(await readAll(await open(folder)))).toEqual(textOf(records(1, written + 2, 1000)));
  });

  test("that turns read-only, says so and keeps what was durable", async () => {
    using disk = smallDisk(64);
    const folder = join(disk.folder, "journal");
    const journal = await open(folder);
    await journal.restart(LOG, 0);
    await journal.append(records(1, 3));
    await journal.close();
    disk.readOnly(true);
    await expect(journal.append(records(4, 4))).rejects.toMatchObject({ code: "read-only" });
    disk.readOnly(false);
    await journal.repair();
    await journal.append(records(4, 4));
    expect((await readAll(journal)).length).toBe(4);
  });
});
