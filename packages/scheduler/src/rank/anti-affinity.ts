import { Scratch } from "../scratch.ts";
import type { Scorer } from "./scorer.ts";

/** Keeps allocations of one group apart: the more of them a node has, the worse. */
export class AntiAffinity implements Scorer {
  readonly name = "job-anti-affinity";
  /** By slot: allocations of the same job and group. */
  readonly #collisions: Int32Array;
  readonly #count: number;
  #total = 0;

  constructor(slots: number, count: number, scratch: Scratch = new Scratch()) {
    this.#collisions = scratch.ints(slots);
    this.#count = Math.max(1, count);
  }

  get isSilent(): boolean {
    return this.#total === 0;
  }

  score(slot: number): number {
    const collisions = this.#collisions[slot] as number;
    return collisions === 0 ? Number.NaN : -(collisions + 1) / this.#count;
  }

  add(slot: number): void {
    this.#collisions[slot] = (this.#collisions[slot] as number) + 1;
    this.#total += 1;
  }

  remove(slot: number): void {
    this.#collisions[slot] = (this.#collisions[slot] as number) - 1;
    this.#total -= 1;
  }
}
