import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { canMount, smallDisk } from "@steppe/runtime/internal";
import { describe, expect, onTestFinished, test } from "vitest";
import { openEmbeddedLog } from "./embedded-log.ts";
import { recordsIn } from "./journal/read-journal.ts";
import { LogGapError, type LogRecord } from "./log.ts";
import { describeLogContract, numberOf, payload, range, readAll } from "./log-contract.ts";
import { encodeSnapshotFile } from "./snapshots/snapshot-file.ts";
import { createQuietLogger } from "./testing/quiet-logger.ts";

const logger = createQuietLogger();

const ever = new AbortController().signal;

/** Writes one as `SnapshotFolder` does; resolves with its path. */
async function snapshotFile(folder: string, index: number, content: Uint8Array): Promise<string> {
  const path = join(folder, "a.snapshot");
  const about = { index, region: "us", digest: 7, time: 9, version: "1", log: { epoch: 0, id: "", base: 0 } };
  await rm(path, { force: true });
  await writeFile(path, encodeSnapshotFile(about, inPieces(content)));
  return path;
}

function* inPieces(content: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < content.length; at += 100_000) yield content.subarray(at, at + 100_000);
}

const openIn = (folder: string) => openEmbeddedLog({ path: join(folder, "log.db"), logger });

/** The log's own. */
const snapshotsIn = async (folder: string) => (await readdir(folder)).filter((name) => name.includes("snapshot-"));

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "steppe-log-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describeLogContract("embedded", async () => {
  const folder = await mkdtemp(join(tmpdir(), "steppe-log-"));
  return {
    open: ({ base } = {}) =>
      openEmbeddedLog({ path: join(folder, "log.db"), logger, ...(base !== undefined && { base }) }),
    // The process that has it open is this one; what a kill does is tested below.
    crash: async () => undefined,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
});

describe("embedded log", () => {
  test("given out in pieces as a journal has them, while more is written; each where the one before was", async () => {
    const log = await openEmbeddedLog({ path: join(await temporaryFolder(), "log.db"), logger });
    onTestFinished(() => log.close());
    // Five of them to a piece.
    for (let i = 1; i <= 40; i++) await log.append(new TextEncoder().encode(`record ${i}`.padEnd(200_000)));
    const seen = new Set<ArrayBufferLike>();
    let count = 0;
    async function* pieces() {
      for await (const piece of log.pieces(5, 30)) {
        seen.add(piece.buffer);
        count += 1;
        // Copied, as whoever reads it has to be done with it before the next.
        yield new Uint8Array(piece);
        await log.append(payload(99));
      }
    }
    const all: LogRecord[] = [];
    for await (const records of recordsIn(pieces(), 5)) all.push(...records);
    expect(all.map(({ index }) => index)).toEqual(range(5, 30));
    expect(all.map(numberOf)).toEqual(range(5, 30));
    expect([seen.size, count]).toEqual([1, 6]);
    await log.truncate(10);
    await expect(log.pieces(10, 30).next()).rejects.toBeInstanceOf(LogGapError);
  });

  test("a snapshot of a file: kept as one that comes in pieces is, without a copy, while the one it was made of goes", async () => {
    const folder = await temporaryFolder();
    const content = Buffer.alloc(3_000_000, "snapshot");
    const path = await snapshotFile(folder, 2, content);
    const log = await openIn(folder);
    await log.append(payload(1));
    await log.append(payload(2));
    const [, index] = await Promise.all([log.saveSnapshotFile(2, path, ever), log.append(payload(3))]);
    expect(index).toBe(3);
    expect((await stat(path)).nlink).toBe(2);
    await rm(path);
    expect(await log.loadSnapshot()).toEqual({ index: 2, data: new Uint8Array(content) });
    await log.close();
    const again = await openIn(folder);
    onTestFinished(() => again.close());
    expect(await again.loadSnapshot()).toEqual({ index: 2, data: new Uint8Array(content) });
    expect(await again.lastIndex()).toBe(3);
  });

  test("snapshots of files and in pieces, one after the other: the newest is there, and no file of another", async () => {
    const folder = await temporaryFolder();
    const log = await openIn(folder);
    onTestFinished(() => log.close());
    for (let i = 1; i <= 4; i++) await log.append(payload(i));
    await log.saveSnapshotFile(1, await snapshotFile(folder, 1, payload(1)), ever);
    await log.saveSnapshotFile(2, await snapshotFile(folder, 2, payload(2)), ever);
    expect(await log.loadSnapshot()).toEqual({ index: 2, data: payload(2) });
    expect(await snapshotsIn(folder)).toHaveLength(1);
    await log.saveSnapshot(3, payload(3));
    expect(await log.loadSnapshot()).toEqual({ index: 3, data: payload(3) });
    expect(await snapshotsIn(folder)).toEqual([]);
    await log.saveSnapshotFile(4, await snapshotFile(folder, 4, payload(4)), ever);
    await log.restart(9, payload(9));
    expect(await log.loadSnapshot()).toEqual({ index: 9, data: payload(9) });
    expect(await snapshotsIn(folder)).toEqual([]);
  });

  test("a snapshot's file that a crash left before it was the log's: removed when the log is opened", async () => {
    const folder = await temporaryFolder();
    const before = await openIn(folder);
    await before.append(payload(1));
    await before.saveSnapshotFile(1, await snapshotFile(folder, 1, payload(1)), ever);
    await before.close();
    await writeFile(join(folder, "log.db.snapshot-99"), "cut sh");
    const log = await openIn(folder);
    onTestFinished(() => log.close());
    expect(await snapshotsIn(folder)).toEqual(["log.db.snapshot-1"]);
    expect(await log.loadSnapshot()).toEqual({ index: 1, data: payload(1) });
  });

  test("a snapshot of a file that is damaged at its beginning, or of another index: refused, and the one before stays", async () => {
    const folder = await temporaryFolder();
    const log = await openIn(folder);
    onTestFinished(() => log.close());
    const before = new Uint8Array([1, 2, 3]);
    await log.append(payload(1));
    await log.saveSnapshot(1, before);
    const path = await snapshotFile(folder, 2, payload(2));
    await expect(log.saveSnapshotFile(1, path, ever)).rejects.toThrow(`${path} is of index 2, not 1`);
    await writeFile(path, "STPSnapshot it is not");
    await expect(log.saveSnapshotFile(1, path, ever)).rejects.toThrow("the snapshot has format");
    await expect(log.saveSnapshotFile(1, `${path}-absent`, ever)).rejects.toThrow("no such file");
    expect(await log.loadSnapshot()).toEqual({ index: 1, data: before });
    expect(await log.append(payload(2))).toBe(2);
  });

  test("a snapshot's file whose bytes rotted: not loaded, and the error names it", async () => {
    const folder = await temporaryFolder();
    const log = await openIn(folder);
    onTestFinished(() => log.close());
    await log.append(payload(1));
    const path = await snapshotFile(folder, 1, Buffer.alloc(300_000, "snapshot"));
    await log.saveSnapshotFile(1, path, ever);
    const bytes = await readFile(path);
    bytes[200_000] = 0;
    // The two names stand for one file.
    await writeFile(path, bytes);
    await expect(log.loadSnapshot()).rejects.toThrow("log.db.snapshot-1 cannot be read: the snapshot is damaged");
  });

  test("a snapshot of a file, given up: the one before stays, and the log can be closed at once", async () => {
    const folder = await temporaryFolder();
    const log = await openIn(folder);
    const before = new Uint8Array([1, 2, 3]);
    await log.append(payload(1));
    await log.saveSnapshot(1, before);
    const path = await snapshotFile(folder, 1, Buffer.alloc(30_000_000));
    const stop = new AbortController();
    const saved = log.saveSnapshotFile(1, path, stop.signal);
    stop.abort(new Error("the server stops"));
    await expect(saved).rejects.toThrow("the server stops");
    await expect(log.saveSnapshotFile(1, path, stop.signal)).rejects.toThrow("the server stops");
    await log.close();
    const again = await openIn(folder);
    onTestFinished(() => again.close());
    expect(await again.loadSnapshot()).toEqual({ index: 1, data: before });
  });

  test("written by the version before, with its snapshot in rows: read, and from then on of this version", async () => {
    const folder = await temporaryFolder();
    const before = await openIn(folder);
    for (let i = 1; i <= 3; i++) await before.append(payload(i));
    await before.saveSnapshot(2, payload(2));
    await before.close();
    const format = (to?: number) => {
      using db = new DatabaseSync(join(folder, "log.db"));
      if (to !== undefined) db.exec(`PRAGMA user_version=${to}`);
      return db.prepare("PRAGMA user_version").get()?.user_version;
    };
    format(1);
    const log = await openIn(folder);
    expect(await log.loadSnapshot()).toEqual({ index: 2, data: payload(2) });
    expect((await readAll(log, 0, 3)).map(numberOf)).toEqual(range(1, 3));
    await log.close();
    expect(format()).toBe(2);
    format(3);
    await expect(openIn(folder)).rejects.toThrow("has format 3; this version reads 2");
  });

  test("its process is killed, every acknowledged record is there", async () => {
    const path = join(await temporaryFolder(), "log.db");
    const writer = `
      import { openEmbeddedLog } from ${JSON.stringify(new URL("./embedded-log.ts", import.meta.url).href)};
      const logger = { error() {}, warn() {}, info() {}, debug() {} };
      const log = await openEmbeddedLog({ path: ${JSON.stringify(path)}, logger });
      for (let i = 1; ; i++) {
        await log.append(new TextEncoder().encode("record " + i));
        console.log(i);
      }`;
    const child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", writer],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    let acknowledged = 0;
    for await (const line of createInterface(child.stdout)) {
      acknowledged = Number(line);
      if (acknowledged === 100) child.kill("SIGKILL");
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    expect(acknowledged).toBeGreaterThanOrEqual(100);

    const log = await openEmbeddedLog({ path, logger });
    onTestFinished(() => log.close());
    expect(await log.lastIndex()).toBeGreaterThanOrEqual(acknowledged);
    expect((await readAll(log, 0, acknowledged)).slice(0, acknowledged).map(numberOf)).toEqual(range(1, acknowledged));
  });

  test("opened twice, the second is told that it is in use", async () => {
    const path = join(await temporaryFolder(), "log.db");
    const log = await openEmbeddedLog({ path, logger });
    onTestFinished(() => log.close());
    await expect(openEmbeddedLog({ path, logger })).rejects.toThrow(`the log at ${path} is in use by another process`);
    expect(await log.append(payload(1))).toBe(1);
  });

  test("a file that is no database, is refused with its path", async () => {
    const path = join(await temporaryFolder(), "log.db");
    await writeFile(path, "not a database at all, ".repeat(100));
    await expect(openEmbeddedLog({ path, logger })).rejects.toThrow(`the log at ${path} is damaged`);
  });

  test("a folder that is absent, is refused with its path", async () => {
    const path = join(await temporaryFolder(), "absent", "log.db");
    await expect(openEmbeddedLog({ path, logger })).rejects.toThrow(`cannot open the log at ${path}`);
  });

  test("a record whose bytes rotted, the tail stops and names it", async () => {
    const path = join(await temporaryFolder(), "log.db");
    const before = await openEmbeddedLog({ path, logger });
    for (let i = 1; i <= 9; i++) await before.append(payload(i));
    await before.close();
    const bytes = await readFile(path);
    bytes[bytes.indexOf("record 5") + 7] = "X".charCodeAt(0);
    await writeFile(path, bytes);

    const log = await openEmbeddedLog({ path, logger });
    onTestFinished(() => log.close());
    const tail = log.tail(0, () => undefined, new AbortController().signal);
    await expect(tail).rejects.toThrow(`the log at ${path} is damaged: record 5 fails its checksum`);
  });

  test("a smaller payload limit, is kept", async () => {
    const log = await openEmbeddedLog({ path: join(await temporaryFolder(), "log.db"), logger, payloadMax: 100 });
    onTestFinished(() => log.close());
    await expect(log.append(new Uint8Array(101))).rejects.toThrow(
      "log record of 101 bytes is larger than the limit of 100 bytes",
    );
  });
});

describe.runIf(canMount)("embedded log on a disk of 1 MiB", () => {
  test("that fills up, refuses for certain and takes records again once there is room", async () => {
    using disk = smallDisk(1024);
    const filler = join(disk.folder, "filler");
    await writeFile(filler, new Uint8Array(300_000));
    const path = join(disk.folder, "log.db");
    const log = await openEmbeddedLog({ path, logger });
    let acknowledged = 0;
    const big = new Uint8Array(20_000);
    const error = await (async () => {
      for (;;) acknowledged = await log.append(big);
    })().catch((it: unknown) => it);
    expect(error).toMatchObject({ outcome: "refused", message: expect.stringContaining("full") });
    expect(acknowledged).toBeGreaterThan(1);
    await rm(filler);
    expect(await log.append(payload(1))).toBe(acknowledged + 1);
    await log.close();
    const again = await openEmbeddedLog({ path, logger });
    expect(await again.lastIndex()).toBe(acknowledged + 1);
    await again.close();
  });

  test("that is read-only, cannot be opened, and the error says so", async () => {
    using disk = smallDisk(1024);
    const path = join(disk.folder, "log.db");
    await (await openEmbeddedLog({ path, logger })).close();
    disk.readOnly(true);
    await expect(openEmbeddedLog({ path, logger })).rejects.toThrow(`the log at ${path}`);
  });

  test("begun anew behind a snapshot: older records are gone, indexes go on, a reader learns of it", async () => {
    const path = join(await temporaryFolder(), "log.db");
    const log = await openEmbeddedLog({ path, logger });
    for (let i = 1; i <= 5; i++) await log.append(payload(i));
    const reader = expect(log.tail(5, () => undefined, ever)).rejects.toThrow("was dropped");
    await log.restart(100, payload(7));
    await reader;
    expect(await log.append(payload(6))).toBe(101);
    await log.close();
    const again = await openEmbeddedLog({ path, logger });
    onTestFinished(() => again.close());
    expect(await again.firstIndex()).toBe(101);
    expect(await again.lastIndex()).toBe(101);
    expect(await again.loadSnapshot()).toEqual({ index: 100, data: payload(7) });
  });
});
