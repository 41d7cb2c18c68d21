import { randomBytes, randomUUID } from "node:crypto";
import type { Random } from "@steppe/model";

/** Drawn at once and given out in pieces: asking the system for 16 bytes costs as much as for these. */
const POOL_BYTES = 4096;

export function createRandom(): Random {
  let pool: Buffer = Buffer.alloc(0);
  let at = 0;
  const bytes = (length: number): Uint8Array => {
    if (length > POOL_BYTES / 16) return randomBytes(length);
    if (at + length > pool.length) {
      pool = randomBytes(POOL_BYTES);
      at = 0;
    }
    at += length;
    return pool.subarray(at - length, at);
  };
  return { bytes, id: () => randomUUID(), fraction: () => Math.random() };
}
