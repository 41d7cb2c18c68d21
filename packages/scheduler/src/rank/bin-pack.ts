import type { Ask } from "@steppe/state";
import type { Room } from "../room.ts";
import type { Scorer } from "./scorer.ts";

/** The highest raw score, of a full node: 20 - 10^0 - 10^0. */
const HIGHEST = 18;

/**
 * 1 for a node that is full afterwards, 0 for an empty one. Fractions are those of CPU and memory
 * that stay free. `exp` of a product is about a third faster than `10 **`.
 */
export function binPackScore(freeCpu: number, freeMemory: number): number {
  const raw = 20 - Math.exp(freeCpu * Math.LN10) - Math.exp(freeMemory * Math.LN10);
  return Math.min(Math.max(raw, 0), HIGHEST) / HIGHEST;
}

/** Fills nodes up before it starts on the next. */
export class BinPack implements Scorer {
  readonly name = "binpack";
  readonly #room: Room;
  readonly #ask: Ask;

  constructor(room: Room, ask: Ask) {
    this.#room = room;
    this.#ask = ask;
  }

  score(slot: number): number {
    return binPackScore(this.#room.freeCpu(slot, this.#ask), this.#room.freeMemory(slot, this.#ask));
  }
}
