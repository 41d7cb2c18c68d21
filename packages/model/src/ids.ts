// Ids that applying a command mints. The proposer draws 16 random bytes once; every id of the
// command follows from them and a counter, so that all replicas mint the same ones.

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** 16 bytes as the API writes an id: 8-4-4-4-12 hexadecimal digits, lower case. */
export function formatId(bytes: Uint8Array, offset = 0): string {
  let text = "";
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += "-";
    text += HEX[bytes[offset + i] ?? 0];
  }
  return text;
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
  const view = new DataView(seed.buffer, seed.byteOffset, 16);
  let a = view.getUint32(0);
  let b = view.getUint32(4);
  let c = view.getUint32(8);
  let d = (view.getUint32(12) ^ n) >>> 0;
  for (let round = 0; round < 4; round++) {
    a = (Math.imul(a, 0x9e3779b1) + d) >>> 0;
    b = ((b ^ ((a << 13) | (a >>> 19))) + 0x85ebca6b) >>> 0;
    c = (Math.imul(c, 0xc2b2ae35) ^ b) >>> 0;
    d = (d + ((c << 7) | (c >>> 25))) >>> 0;
  }
  const out = new Uint8Array(16);
  const bytes = new DataView(out.buffer);
  bytes.setUint32(0, a);
  bytes.setUint32(4, b);
  bytes.setUint32(8, c);
  bytes.setUint32(12, d);
  return formatId(out);
}
