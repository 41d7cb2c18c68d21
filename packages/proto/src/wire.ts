// Reader and writer of the generated code: 64-bit fields are plain numbers, and what takes most of
// the time of encoding and decoding (tags, small integers, short texts) goes a shorter way.
//
// biome-ignore-all lint/suspicious/noExplicitAny: the library's types say bigint | string
//
// Nothing here needs more than a double holds: indexes stay far below 2^53, and a point in time
// in nanoseconds is exact to 256 ns, which is finer than the millisecond clock it comes from.
// Durations are whole in every unit people write. BigInt, the library's own choice, does not go
// into JSON.
import { BinaryReader as LibraryReader, BinaryWriter as LibraryWriter } from "@bufbuild/protobuf/wire";

const TWO_32 = 4294967296;
const TWO_63 = 2 ** 63;

/** What the library keeps to itself and the shorter ways need. */
interface ReaderInsides {
  readonly buf: Uint8Array;
  varint64Lo: number;
  varint64Hi: number;
  varint64(): void;
  uint32: () => number;
}

interface WriterInsides {
  buffer: Uint8Array;
  pos: number;
  ensureCapacity(size: number): void;
  writeVarint64(lo: number, hi: number): unknown;
}

/** Shorter texts are put together from characters: concatenated, they stay flat strings of their own. */
const PIECEWISE_MAX = 12;
/** One for all fields without bytes: an empty one cannot change. */
export const NO_BYTES: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** Whether a map of a message, if there is one, holds anything. Its entries would be a list and a function for each look. */
export function hasEntries(map: object | null | undefined): boolean {
  for (const _ in map) return true;
  return false;
}

/** Of Node: decodes without a view of the bytes. Elsewhere the library's way is taken. */
const utf8Slice = (
  globalThis as { Buffer?: { prototype: { utf8Slice(this: Uint8Array, from: number, to: number): string } } }
).Buffer?.prototype.utf8Slice;

export class BinaryReader extends LibraryReader {
  /** Counted by the generated code; here from the start, so that all readers have one shape. */
  __tsProtoDecodeDepth = 0;

  constructor(bytes: Uint8Array) {
    super(bytes);
    const insides = this as unknown as ReaderInsides;
    const long = insides.uint32;
    insides.uint32 = function (this: BinaryReader): number {
      const byte = (this as unknown as ReaderInsides).buf[this.pos] as number;
      // Beyond the end it is undefined, and the library says so.
      if (!(byte < 0x80)) return long.call(this);
      this.pos += 1;
      return byte;
    };
  }

  override int64(): any {
    const insides = this as unknown as ReaderInsides;
    const byte = insides.buf[this.pos] as number;
    if (byte < 0x80) {
      this.pos += 1;
      return byte;
    }
    insides.varint64();
    return (insides.varint64Hi | 0) * TWO_32 + (insides.varint64Lo >>> 0);
  }

  override uint64(): any {
    const insides = this as unknown as ReaderInsides;
    const byte = insides.buf[this.pos] as number;
    if (byte < 0x80) {
      this.pos += 1;
      return byte;
    }
    insides.varint64();
    return (insides.varint64Hi >>> 0) * TWO_32 + (insides.varint64Lo >>> 0);
  }

  override fixed64(): any {
    const lo = this.fixed32();
    return this.fixed32() * TWO_32 + lo;
  }

  override string(strict?: boolean): string {
    const begun = this.pos;
    const length = this.uint32();
    const start = this.pos;
    const end = start + length;
    if (utf8Slice === undefined || strict || end > this.len) return this.#longWay(begun, strict);
    const { buf } = this as unknown as ReaderInsides;
    this.pos = end;
    if (length > PIECEWISE_MAX) return utf8Slice.call(buf, start, end);
    let text = "";
    for (let at = start; at < end; at++) {
      const byte = buf[at] as number;
      if (byte > 0x7f) return utf8Slice.call(buf, start, end);
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #longWay(begun: number, strict: boolean | undefined): string {
    this.pos = begun;
    return super.string(strict);
  }
}

/** Longest text whose length takes one byte. */
const ASCII_MAX = 127;
/** A writer that is done leaves its memory to the next one, unless it grew beyond this. */
const SCRATCH_MAX = 1 << 20;
let scratch: Uint8Array | undefined = new Uint8Array(1 << 14);
/** Of which `finishShared` gives pieces, the larger ones excepted. */
const SLAB_BYTES = 1 << 16;
const SLAB_SHARE_MAX = SLAB_BYTES >> 3;
let slab = new Uint8Array(0);
let slabUsed = 0;

export class BinaryWriter extends LibraryWriter {
  constructor() {
    super();
    if (scratch === undefined) return;
    (this as unknown as WriterInsides).buffer = scratch;
    scratch = undefined;
  }

  override finish(): Uint8Array<ArrayBuffer> {
    const result = super.finish();
    this.#leave();
    return result;
  }

  /**
   * As `finish`, in memory that is shared with what was finished before and after: for bytes that are soon let go. A small
   * `ArrayBuffer` of its own costs more than what is in it, and V8 collects garbage by how many bytes lie in such.
   */
  finishShared(): Uint8Array<ArrayBuffer> {
    const { buffer, pos } = this as unknown as WriterInsides;
    if (pos > SLAB_SHARE_MAX) return this.finish();
    if (slabUsed + pos > slab.length) {
      slab = new Uint8Array(SLAB_BYTES);
      slabUsed = 0;
    }
    const result = slab.subarray(slabUsed, slabUsed + pos);
    result.set(buffer.subarray(0, pos));
    slabUsed += pos;
    (this as unknown as WriterInsides).pos = 0;
    this.#leave();
    return result;
  }

  #leave(): void {
    const insides = this as unknown as WriterInsides;
    if (insides.buffer.length <= SCRATCH_MAX) scratch = insides.buffer;
    insides.buffer = NOTHING;
  }

  override uint32(value: number): this {
    // Anything else is for the library to refuse.
    if (value >>> 0 !== value) return super.uint32(value);
    const insides = this as unknown as WriterInsides;
    insides.ensureCapacity(5);
    const { buffer } = insides;
    let at = insides.pos;
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) buffer[at++] = (rest & 0x7f) | 0x80;
    buffer[at++] = rest;
    insides.pos = at;
    return this;
  }

  override string(value: string): this {
    if (typeof value !== "string" || value.length > ASCII_MAX) return super.string(value);
    const insides = this as unknown as WriterInsides;
    const { length } = value;
    insides.ensureCapacity(length + 1);
    const { buffer } = insides;
    let at = insides.pos;
    buffer[at++] = length;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return super.string(value);
      buffer[at++] = code;
    }
    insides.pos = at;
    return this;
  }

  override int64(value: any): this {
    // Small values, nearly all of them, need no 64-bit arithmetic.
    if (value >= 0 && value < TWO_32) return this.uint32(value);
    return this.#varint64(value) ?? super.int64(BigInt(value));
  }

  override uint64(value: any): this {
    if (value < TWO_32) return this.uint32(value);
    return this.#varint64(value) ?? super.uint64(BigInt(value));
  }

  /** Undefined where the library is to say what is wrong, or to do what is seldom needed. */
  #varint64(value: number): this | undefined {
    if (!Number.isInteger(value) || value < 0 || value >= TWO_63) return undefined;
    const hi = Math.floor(value / TWO_32);
    (this as unknown as WriterInsides).writeVarint64((value - hi * TWO_32) | 0, hi | 0);
    return this;
  }

  override fixed64(value: any): this {
    this.fixed32((value % TWO_32) >>> 0);
    return this.fixed32(Math.floor(value / TWO_32));
  }
}

const NOTHING = new Uint8Array(0);
