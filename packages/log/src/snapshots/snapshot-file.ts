// The bytes of a snapshot as a file, on a server's disk and in an operator's hands: who made it, the
// records of the state in chunks, each with its checksum, and a digest of it all at the end.
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Files } from "@steppe/model";
import type { LogIdentity } from "../identity.ts";

export const SNAPSHOT_FILE_FORMAT = 1;

export interface SnapshotAbout {
  /** Of the last entry in it. */
  readonly index: number;
  readonly region: string;
  /** Digest of the state. */
  readonly digest: number;
  /** Unix nanoseconds of the last entry in it. */
  readonly time: number;
  /** The log it is of. */
  readonly log: LogIdentity;
  /** Of the program that wrote it. */
  readonly version: string;
}

/** "STPS" */
const MAGIC = 0x53545053;
const HEAD_BYTES = 14;
const CHUNK_HEAD_BYTES = 8;
const DIGEST_BYTES = 32;
/** Larger than any chunk: what claims more is damaged. */
const CHUNK_MAX = 256 * 1024 * 1024;

/** A piece of records that is larger becomes several chunks. */
const CHUNK_WRITTEN = 1024 * 1024;

export async function* encodeSnapshotFile(
  about: SnapshotAbout,
  records: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const part of parts(about, records)) {
    hash.update(part);
    yield part;
  }
  yield hash.digest();
}

async function* parts(
  about: SnapshotAbout,
  records: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield encodeHead(about);
  for await (const piece of records) {
    for (let at = 0; at < piece.length; at += CHUNK_WRITTEN) {
      const body = piece.subarray(at, at + CHUNK_WRITTEN);
      yield encodeChunkHead(body);
      yield body;
    }
  }
  yield encodeChunkHead(new Uint8Array());
}

export class SnapshotFileError extends Error {
  constructor(what: string) {
    super(`the snapshot ${what}`);
    this.name = "SnapshotFileError";
  }
}

/** Reads a snapshot file in whatever pieces it comes. Rejects with `SnapshotFileError` when it is damaged or cut short. */
export async function readSnapshotFile(
  source: AsyncIterable<Uint8Array>,
): Promise<{ readonly about: SnapshotAbout; readonly records: AsyncGenerator<Uint8Array> }> {
  const pieces = new Pieces(source);
  const hash = createHash("sha256");
  const head = await pieces.take(HEAD_BYTES);
  if (head.readUInt32BE(0) !== MAGIC) throw new SnapshotFileError("is no snapshot of Steppe");
  const format = head.readUInt16BE(4);
  if (format !== SNAPSHOT_FILE_FORMAT) {
    throw new SnapshotFileError(`has format ${format}; this version reads format ${SNAPSHOT_FILE_FORMAT}`);
  }
  const body = await pieces.take(head.readUInt32BE(6));
  if (crc32(body) !== head.readUInt32BE(10)) throw new SnapshotFileError("is damaged: its header fails its checksum");
  hash.update(head).update(body);
  return { about: JSON.parse(body.toString()) as SnapshotAbout, records: chunks(pieces, hash) };
}

async function* chunks(pieces: Pieces, hash: ReturnType<typeof createHash>): AsyncGenerator<Uint8Array> {
  for (;;) {
    const head = await pieces.take(CHUNK_HEAD_BYTES);
    const length = head.readUInt32BE(0);
    if (length > CHUNK_MAX) throw new SnapshotFileError("is damaged");
    const chunk = await pieces.take(length);
    if (crc32(chunk) !== head.readUInt32BE(4)) throw new SnapshotFileError("is damaged: a part fails its checksum");
    hash.update(head).update(chunk);
    if (length === 0) break;
    yield chunk;
  }
  const digest = await pieces.take(DIGEST_BYTES);
  if (!digest.equals(hash.digest())) throw new SnapshotFileError("is damaged: it fails its digest");
  await pieces.end();
}

function encodeHead(about: SnapshotAbout): Uint8Array {
  const body = Buffer.from(JSON.stringify(about));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(MAGIC, 0);
  head.writeUInt16BE(SNAPSHOT_FILE_FORMAT, 4);
  head.writeUInt32BE(body.length, 6);
  head.writeUInt32BE(crc32(body), 10);
  return Buffer.concat([head, body]);
}

function encodeChunkHead(body: Uint8Array): Uint8Array {
  const head = Buffer.alloc(CHUNK_HEAD_BYTES);
  head.writeUInt32BE(body.length, 0);
  head.writeUInt32BE(crc32(body), 4);
  return head;
}

/** Bytes by the length, from a source of pieces of any length. */
class Pieces {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async take(length: number): Promise<Buffer> {
    const pieces = [this.#held];
    let size = this.#held.length;
    while (size < length) {
      const { value, done } = await this.#source.next();
      if (done === true) throw new SnapshotFileError("is cut short");
      pieces.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
      size += value.length;
    }
    const all = pieces.length === 1 ? this.#held : Buffer.concat(pieces);
    this.#held = all.subarray(length);
    return all.subarray(0, length);
  }

  async end(): Promise<void> {
    const { done } = this.#held.length > 0 ? { done: false } : await this.#source.next();
    if (done !== true) throw new SnapshotFileError("goes on behind its end");
  }
}

const READ_BYTES = 1024 * 1024;

export async function* readInPieces(files: Files, path: string): AsyncGenerator<Uint8Array> {
  for (let offset = 0; ; ) {
    const piece = await files.read(path, offset, READ_BYTES);
    if (piece.length === 0) return;
    yield piece;
    offset += piece.length;
  }
}
