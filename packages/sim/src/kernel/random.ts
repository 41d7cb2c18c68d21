import type { Random } from "@steppe/model";

/** Numbers that follow from a seed. A child per purpose: drawing more for one purpose does not move the others. */
export interface SeededRandom extends Random {
  child(purpose: string): SeededRandom;
  /** Uniform in [from, to). */
  between(from: number, to: number): number;
  /** Uniform whole number in [0, limit). */
  below(limit: number): number;
  chance(probability: number): boolean;
  /** One of them; at least one must be there. */
  pick<T>(items: readonly T[]): T;
}

export function seededRandom(seed: string): SeededRandom {
  let a = hash(seed, 0x811c9dc5);
  let b = hash(seed, 0x9e3779b9) | 1;
  const word = (): number => {
    // Two counters, mixed: a period far beyond what any run draws.
    a = (a + 0x6d2b79f5) | 0;
    b = Math.imul(b, 0x2c9277b5) + 0x5f356495;
    let x = a ^ (b >>> 7);
    x = Math.imul(x ^ (x >>> 15), 1 | x);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return (x ^ (x >>> 14)) >>> 0;
  };
  const fraction = () => word() / 0x1_0000_0000;
  const bytes = (length: number) => {
    const made = new Uint8Array(length);
    for (let i = 0; i < length; i += 4) {
      const drawn = word();
      for (let j = i; j < Math.min(i + 4, length); j++) made[j] = drawn >>> (8 * (j - i));
    }
    return made;
  };
  return {
    bytes,
    fraction,
    id: () =>
      Buffer.from(bytes(16))
        .toString("hex")
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
    child: (purpose) => seededRandom(`${seed}/${purpose}`),
    between: (from, to) => from + fraction() * (to - from),
    below: (limit) => Math.floor(fraction() * limit),
    chance: (probability) => fraction() < probability,
    pick: (items) => items[Math.floor(fraction() * items.length)] as never,
  };
}

/** FNV-1a, 32 bits. */
export function hash(text: string, basis: number = 0x811c9dc5): number {
  let value = basis;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
