import type { Scratch } from "../scratch.ts";
import { NodeHeap, slotColumns } from "./node-heap.ts";

/**
 * Slots by how good they are. What is given of a slot is the sum of the numbers that its scorers
 * have to say, and how many they are; its score is their mean.
 */
export interface Ranking {
  readonly size: number;
  /** -1 when empty. */
  readonly best: number;
  has(slot: number): boolean;
  scoreOf(slot: number): number;
  /** The `count` best, best first. */
  top(count: number): number[];
  /**
   * Adds the first so many slots of a list, none of which is there yet, out of order; what is said of
   * them stands in columns beside it. `order` must follow before anything else.
   */
  append(slots: Int32Array, length: number, sums: Float64Array, counts: Uint8Array): void;
  order(): void;
  /** Adds a slot or changes what is said of it. */
  set(slot: number, sum: number, count: number): void;
  remove(slot: number): void;
}

/** For scores that change one slot at a time. */
export class PlainRanking implements Ranking {
  readonly #heap: NodeHeap;

  constructor(slots: number, seed: number, scratch: Scratch) {
    this.#heap = new NodeHeap(slots, seed, slotColumns(slots, scratch), scratch);
  }

  get size(): number {
    return this.#heap.size;
  }

  get best(): number {
    return this.#heap.best;
  }

  has(slot: number): boolean {
    return this.#heap.has(slot);
  }

  scoreOf(slot: number): number {
    return this.#heap.scoreOf(slot);
  }

  top(count: number): number[] {
    return this.#heap.top(count);
  }

  append(slots: Int32Array, length: number, sums: Float64Array, counts: Uint8Array): void {
    const heap = this.#heap;
    for (let i = 0; i < length; i++) heap.append(slots[i] as number, (sums[i] as number) / (counts[i] as number));
  }

  order(): void {
    this.#heap.order();
  }

  set(slot: number, sum: number, count: number): void {
    this.#heap.set(slot, sum / count);
  }

  remove(slot: number): void {
    this.#heap.remove(slot);
  }
}
