import type { Files } from "@steppe/model";
import { type LogIdentity, sameLog } from "../identity.ts";
import type { LogRecord } from "../log.ts";
import { readInPieces } from "../snapshots/snapshot-file.ts";
import { readHeader, readRecords, SEGMENT_SUFFIX, sizeAt, sizeOf } from "./segment.ts";

export interface JournalPart {
  /** The log that the journal must be of. */
  readonly log: LogIdentity;
  readonly from: number;
  /** Index of the last record wanted, which the journal holds. */
  readonly to: number;
}

/**
 * Records of the journal in a folder, some at a time; reads only, also while a server adds to it. Throws when one is
 * missing or damaged, or the journal is of another log.
 */
export async function* readJournal(
  files: Files,
  folder: string,
  { log, from, to }: JournalPart,
): AsyncGenerator<readonly LogRecord[]> {
  const names = await segmentNames(files, folder);
  let next = from;
  for (const [n, name] of names.entries()) {
    if (next > to) return;
    // A segment is named by its first record, and ends before the one behind it begins.
    const following = names[n + 1];
    if (following !== undefined && Number.parseInt(following, 10) <= next) continue;
    for await (const records of readSegmentFile(files, `${folder}/${name}`, log)) {
      const wanted = records.filter(({ index }) => index >= next && index <= to);
      if (wanted.length === 0) continue;
      if (wanted[0]?.index !== next) break;
      yield wanted;
      next += wanted.length;
      if (next > to) return;
    }
  }
  if (next <= to) throw new Error(`the journal in ${folder} is damaged: record ${next} is missing`);
}

/** Names of a journal's segments, the oldest first. */
export async function segmentNames(files: Files, folder: string): Promise<string[]> {
  return (await files.list(folder)).filter((name) => name.endsWith(SEGMENT_SUFFIX));
}

async function* readSegmentFile(files: Files, path: string, log: LogIdentity): AsyncGenerator<readonly LogRecord[]> {
  const pieces = readInPieces(files, path);
  const { value: begin } = await pieces.next();
  const header = begin && readHeader(begin);
  // One that is being begun has no record yet.
  if (begin === undefined || header === undefined) return;
  if (!sameLog(header.identity, log)) throw new Error(`the journal at ${path} is of another log`);
  yield* recordsIn(after(begin.subarray(header.size), pieces), header.first);
}

async function* after(begin: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield begin;
  yield* rest;
}

/**
 * Records from `next` on as they follow one another in bytes that come in pieces of any length; ends before the first
 * that is not whole.
 */
export async function* recordsIn(
  pieces: AsyncIterable<Uint8Array>,
  next: number,
): AsyncGenerator<readonly LogRecord[]> {
  let rest: Uint8Array = new Uint8Array();
  let following = next;
  for await (const piece of pieces) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const records = readRecords(bytes, following);
    following += records.length;
    rest = bytes.subarray(records.reduce((sum, record) => sum + sizeOf(record), 0));
    if (records.length > 0) yield records;
    // All of it is there, and it is no record.
    if (sizeAt(rest) <= rest.length) return;
  }
}
