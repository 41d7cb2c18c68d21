import { formatId, type Random } from "@steppe/model";

/** The same numbers for the same seed. */
export function seededRandom(seed: number): Random {
  let state = (seed | 0) + 0x6d2b79f5;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => next() & 0xff);
  return { bytes, id: () => formatId(bytes(16)), fraction: () => next() / 0x1_0000_0000 };
}
