import { randomBytes, randomUUID } from "node:crypto";
import type { Random } from "@steppe/model";

export function createRandom(): Random {
  return { bytes: (length) => randomBytes(length), id: () => randomUUID(), fraction: () => Math.random() };
}
