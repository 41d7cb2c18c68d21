// What another process reads of a journal: the part asked for, over segments, while more is added; and what it says of damage.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFiles } from "@steppe/runtime";
import { describe, expect, onTestFinished, test } from "vitest";
import type { LogRecord } from "../log.ts";
import { createQuietLogger } from "../testing/quiet-logger.ts";
import { openJournal } from "./journal.ts";
import { readJournal, recordsIn } from "./read-journal.ts";
import { encodeRecord } from "./segment.ts";

const files = createFiles();
const LOG = { epoch: 0, id: "", base: 0 };

const record = (index: number): LogRecord => ({ index, payload: Buffer.from(`record ${index}`.repeat(index % 7)) });
const records = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => record(from + i));
const textOf = (all: readonly LogRecord[]) => all.map(({ index, payload }) => [index, Buffer.from(payload).toString()]);

/** Forty records in segments of a few. */
async function world() {
  const folder = mkdtempSync(join(tmpdir(), "steppe-journal-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const journal = await openJournal({ files, folder, logger: createQuietLogger(), segmentBytes: 300 });
  onTestFinished(() => journal.close());
  await journal.restart(LOG, 0);
  for (let n = 1; n <= 40; n += 2) await journal.append(records(n, n + 1));
  const read = async (from: number, to: number, log = LOG) => {
    const all: LogRecord[] = [];
    for await (const some of readJournal(files, folder, { log, from, to })) all.push(...some);
    return all;
  };
  return { folder, journal, read };
}

describe("reading a journal beside its server", () => {
  test.each([
    [1, 40],
    [17, 17],
    [39, 40],
    [12, 31],
  ])("%i to %i", async (from, to) => {
    const { read, folder } = await world();
    expect(readdirSync(folder).length).toBeGreaterThan(3);
    expect(textOf(await read(from, to))).toEqual(textOf(records(from, to)));
  });

  test("what is torn behind the part, or added, does not matter", async () => {
    const { read, folder, journal } = await world();
    const newest = join(folder, readdirSync(folder).sort().at(-1) as string);
    writeFileSync(newest, Buffer.concat([readFileSync(newest), encodeRecord(record(41)).subarray(0, 9)]));
    expect(textOf(await read(30, 40))).toEqual(textOf(records(30, 40)));
    await journal.close();
  });

  test.each([
    ["is not there yet", 41, 41, LOG, "record 41 is missing"],
    ["was dropped", 1, 40, LOG, "record 1 is missing"],
    ["is of another log", 30, 40, { epoch: 1, id: "", base: 0 }, "another log"],
  ])("a record that %s", async (_, from, to, log, message) => {
    const { read, journal } = await world();
    await journal.dropThrough(20);
    await expect(read(from, to, log)).rejects.toThrow(message);
  });

  test("a rotten byte: the record is missing", async () => {
    const { read, folder } = await world();
    const newest = join(folder, readdirSync(folder).sort().at(-1) as string);
    const bytes = readFileSync(newest);
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    writeFileSync(newest, bytes);
    await expect(read(30, 40)).rejects.toThrow("record 40 is missing");
  });
});

describe("records in pieces", () => {
  const bytes = Buffer.concat(records(5, 30).map(encodeRecord));

  async function* inPieces(of: Uint8Array, size: number) {
    for (let at = 0; at < of.length; at += size) yield of.subarray(at, at + size);
  }

  async function all(pieces: AsyncIterable<Uint8Array>): Promise<LogRecord[]> {
    const found: LogRecord[] = [];
    for await (const some of recordsIn(pieces, 5)) found.push(...some);
    return found;
  }

  test.each([1, 3, 16, 100, 10_000])("of %i bytes", async (size) => {
    expect(textOf(await all(inPieces(bytes, size)))).toEqual(textOf(records(5, 30)));
  });

  test("cut at any byte: those that are whole", async () => {
    for (let length = 0; length < bytes.length; length++) {
      const found = await all(inPieces(bytes.subarray(0, length), 50));
      expect(textOf(found)).toEqual(textOf(records(5, 30).slice(0, found.length)));
      expect(Buffer.concat(found.map(encodeRecord)).length).toBeLessThanOrEqual(length);
    }
  });

  test("one that is whole and wrong ends them, whatever follows", async () => {
    const wrong = Buffer.from(bytes);
    wrong[encodeRecord(record(5)).length + 8] = 1;
    expect(textOf(await all(inPieces(wrong, 50)))).toEqual(textOf([record(5)]));
  });
});
