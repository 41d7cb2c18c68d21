// The bytes of a journal: a segment is a header and records, each with its length and checksum.
import { crc32 } from "node:zlib";
import type { LogIdentity } from "../identity.ts";
import type { LogRecord } from "../log.ts";

/** "STPJ" */
const MAGIC = 0x5354504a;
const FORMAT = 1;
/** Length and checksum, then the index, then the payload. */
export const RECORD_HEAD_BYTES = 16;
/** Of the names of segments' files. */
export const SEGMENT_SUFFIX = ".journal";
/** Larger than any record: what claims more is no record. */
const PAYLOAD_MAX = 64 * 1024 * 1024;

export interface SegmentHeader {
  readonly identity: LogIdentity;
  /** Index of the first record. */
  readonly first: number;
}

export function encodeHeader({ identity, first }: SegmentHeader): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify({ ...identity, first }));
  const bytes = Buffer.alloc(14 + body.length);
  bytes.writeUInt32BE(MAGIC, 0);
  bytes.writeUInt16BE(FORMAT, 4);
  bytes.writeUInt32BE(body.length, 6);
  bytes.writeUInt32BE(crc32(body), 10);
  bytes.set(body, 14);
  return bytes;
}

export function encodeRecord(record: LogRecord): Uint8Array {
  const bytes = Buffer.allocUnsafe(sizeOf(record));
  writeRecord(record, bytes);
  return bytes;
}

/** Writes it at the beginning of `bytes`, which have room for `sizeOf` it. */
export function writeRecord({ index, payload }: LogRecord, bytes: Buffer): void {
  bytes.writeUInt32BE(payload.length, 0);
  bytes.writeBigUInt64BE(BigInt(index), 8);
  bytes.set(payload, RECORD_HEAD_BYTES);
  bytes.writeUInt32BE(crc32(bytes.subarray(8, RECORD_HEAD_BYTES + payload.length)), 4);
}

export interface ReadSegment {
  readonly header: SegmentHeader;
  readonly records: LogRecord[];
  /** Bytes up to the end of the last whole record; what is behind it was torn. */
  readonly size: number;
  readonly headerSize: number;
}

/** What of a segment is whole: undefined when not even its header is. Throws when another version wrote it. */
export function readSegment(given: Uint8Array): ReadSegment | undefined {
  const header = readHeader(given);
  if (header === undefined) return undefined;
  const records = readRecords(given.subarray(header.size), header.first);
  const size = records.reduce((sum, record) => sum + sizeOf(record), header.size);
  return { header, records, size, headerSize: header.size };
}

/** Records from `next` on, as many as follow each other whole from the start of the bytes. */
export function readRecords(given: Uint8Array, next: number): LogRecord[] {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  const records: LogRecord[] = [];
  for (let at = 0; ; ) {
    const record = readRecord(bytes, at);
    if (record === undefined || record.index !== next + records.length) return records;
    records.push(record);
    at += sizeOf(record);
  }
}

/** Bytes that a record takes in a segment. */
export function sizeOf({ payload }: LogRecord): number {
  return RECORD_HEAD_BYTES + payload.length;
}

/** Bytes of the record that begins here, going by its length; infinite while that is not there. */
export function sizeAt(bytes: Uint8Array): number {
  if (bytes.length < 4) return Number.POSITIVE_INFINITY;
  return RECORD_HEAD_BYTES + Buffer.from(bytes.buffer, bytes.byteOffset, 4).readUInt32BE(0);
}

/** Undefined when it is not whole. Throws when another version wrote it. */
export function readHeader(given: Uint8Array): (SegmentHeader & { readonly size: number }) | undefined {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  if (bytes.length < 14 || bytes.readUInt32BE(0) !== MAGIC) return undefined;
  const format = bytes.readUInt16BE(4);
  const size = 14 + bytes.readUInt32BE(6);
  if (size > bytes.length || crc32(bytes.subarray(14, size)) !== bytes.readUInt32BE(10)) return undefined;
  if (format !== FORMAT) throw new Error(`journal has format ${format}; this version reads format ${FORMAT}`);
  const { epoch, id, base, first } = JSON.parse(bytes.toString("utf8", 14, size)) as LogIdentity & { first: number };
  return { identity: { epoch, id, base }, first, size };
}

function readRecord(bytes: Buffer, at: number): LogRecord | undefined {
  if (at + RECORD_HEAD_BYTES > bytes.length) return undefined;
  const length = bytes.readUInt32BE(at);
  const end = at + RECORD_HEAD_BYTES + length;
  if (length > PAYLOAD_MAX || end > bytes.length) return undefined;
  if (crc32(bytes.subarray(at + 8, end)) !== bytes.readUInt32BE(at + 4)) return undefined;
  return { index: Number(bytes.readBigUInt64BE(at + 8)), payload: bytes.subarray(at + RECORD_HEAD_BYTES, end) };
}
