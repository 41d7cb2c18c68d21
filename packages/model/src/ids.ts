// Ids that applying a command mints. The proposer draws 16 random bytes once; every id of the
// command follows from them and a counter, so that all replicas mint the same ones.

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
/** Letters of the digits of each byte. */
const HIGH = Uint8Array.from(DIGITS, (digits) => digits.charCodeAt(0));
const LOW = Uint8Array.from(DIGITS, (digits) => digits.charCodeAt(1));
const DASH = 45;

/**
 * 16 bytes as the API writes an id: 8-4-4-4-12 hexadecimal digits, lower case. In one go: a text put together from
 * pieces is put in order again when it is first looked up.
 */
export function formatId(bytes: Uint8Array, offset = 0): string {
  const high = (i: number) => HIGH[bytes[offset + i] ?? 0] as number;
  const low = (i: number) => LOW[bytes[offset + i] ?? 0] as number;
  // biome-ignore format: four bytes a line
  return String.fromCharCode(
    high(0), low(0), high(1), low(1), high(2), low(2), high(3), low(3), DASH,
    high(4), low(4), high(5), low(5), DASH, high(6), low(6), high(7), low(7), DASH,
    high(8), low(8), high(9), low(9), DASH, high(10), low(10), high(11), low(11),
    high(12), low(12), high(13), low(13), high(14), low(14), high(15), low(15),
  );
}

/** The 16 bytes of an id, written at `offset`. Throws on anything but 32 hexadecimal digits and dashes. */
export function parseId(id: string, into: Uint8Array = new Uint8Array(16), offset = 0): Uint8Array {
  const digits = id.replaceAll("-", "");
  if (!/^[0-9a-fA-F]{32}$/.test(digits)) throw new Error(`not an id: ${JSON.stringify(id)}`);
  for (let i = 0; i < 16; i++) into[offset + i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return into;
}

/**
 * The `n`th id of a command with this seed (16 bytes). Distinct for distinct (seed, n): `n` is
 * xored into the last word before a mixing that is a bijection on the 128 bits (four rounds of
 * multiply, rotate and add on 32-bit words, each step invertible).
 */
export function deriveId(seed: Uint8Array, n: number): string {
  let a = wordAt(seed, 0);
  let b = wordAt(seed, 4);
  let c = wordAt(seed, 8);
  let d = (wordAt(seed, 12) ^ n) >>> 0;
  for (let round = 0; round < 4; round++) {
    a = (Math.imul(a, 0x9e3779b1) + d) >>> 0;
    b = ((b ^ ((a << 13) | (a >>> 19))) + 0x85ebca6b) >>> 0;
    c = (Math.imul(c, 0xc2b2ae35) ^ b) >>> 0;
    d = (d + ((c << 7) | (c >>> 25))) >>> 0;
  }
  putWord(DERIVED, 0, a);
  putWord(DERIVED, 4, b);
  putWord(DERIVED, 8, c);
  putWord(DERIVED, 12, d);
  return formatId(DERIVED);
}

/** Of the id that is being derived. To make a `DataView` of bytes gives them a buffer outside of V8's heap, dearer than all else here. */
const DERIVED = new Uint8Array(16);

/** Big-endian, unsigned. */
function wordAt(bytes: Uint8Array, at: number): number {
  const byte = (i: number) => bytes[at + i] as number;
  return ((byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3)) >>> 0;
}

function putWord(bytes: Uint8Array, at: number, word: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = word >>> (24 - 8 * i);
}
