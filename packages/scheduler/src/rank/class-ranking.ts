import type { Scratch } from "../scratch.ts";
import { NodeHeap, type SlotColumns, slotColumns } from "./node-heap.ts";
import type { Ranking } from "./ranking.ts";
import type { Spreads } from "./spread.ts";

/** More numbers than scorers can append to one slot's score. */
const COUNTS = 8;

/**
 * For scores of which one term, the spread's, changes for whole classes of slots at once.
 *
 * 1. A group is the slots of one class about which equally many numbers are said. Whatever the
 *    class's term is, it moves all their means alike, so a group is ordered by sum alone.
 * 2. A heap over the groups orders them by the mean, term included, of the best slot of each. When
 *    the term of a class changes, its few groups move there and its slots stay as they are.
 *
 * So a placement costs O(log slots), and O(log groups) for each class whose term it changed.
 */
export class ClassRanking implements Ranking {
  readonly #spreads: Spreads;
  readonly #columns: SlotColumns;
  readonly #seed: number;
  /** By slot: its group, -1 when it is not there. */
  readonly #groupOf: Int32Array;
  /** By group. */
  readonly #heaps: (NodeHeap | undefined)[] = [];
  readonly #groups: NodeHeap;
  #size = 0;

  constructor(slots: number, seed: number, spreads: Spreads, scratch: Scratch) {
    this.#spreads = spreads;
    this.#seed = seed;
    this.#columns = slotColumns(slots, scratch);
    this.#groupOf = scratch.ints(slots, -1);
    // Every slot may be a class of its own.
    this.#groups = new NodeHeap(0, seed, slotColumns(COUNTS * slots, scratch));
  }

  get size(): number {
    return this.#size;
  }

  get best(): number {
    const group = this.#groups.best;
    return group === -1 ? -1 : (this.#heaps[group] as NodeHeap).best;
  }

  has(slot: number): boolean {
    return this.#groupOf[slot] !== -1;
  }

  scoreOf(slot: number): number {
    return this.#mean(this.#groupOf[slot] as number, this.#columns.scores[slot] as number);
  }

  /** The best slots are among the best of the best groups, since each group's first is its best. */
  top(count: number): number[] {
    const slots = this.#groups.top(count).flatMap((group) => (this.#heaps[group] as NodeHeap).top(count));
    return slots.sort((a, b) => this.scoreOf(b) - this.scoreOf(a)).slice(0, count);
  }

  append(slots: Int32Array, length: number, sums: Float64Array, counts: Uint8Array): void {
    for (let i = 0; i < length; i++) {
      const slot = slots[i] as number;
      const group = this.#group(slot, counts[i] as number);
      this.#groupOf[slot] = group;
      this.#heapOf(group).append(slot, sums[i] as number);
    }
    this.#size += length;
  }

  order(): void {
    this.#heaps.forEach((heap, group) => {
      heap?.order();
      this.#refresh(group);
    });
  }

  set(slot: number, sum: number, count: number): void {
    const before = this.#groupOf[slot] as number;
    const group = this.#group(slot, count);
    if (before !== -1 && before !== group) this.remove(slot);
    if (before !== group) {
      this.#groupOf[slot] = group;
      this.#size += 1;
    }
    this.#heapOf(group).set(slot, sum);
    this.#refresh(group);
  }

  remove(slot: number): void {
    const group = this.#groupOf[slot] as number;
    if (group === -1) return;
    this.#heaps[group]?.remove(slot);
    this.#groupOf[slot] = -1;
    this.#size -= 1;
    this.#refresh(group);
  }

  /** The terms of these classes changed. */
  refresh(classes: readonly number[]): void {
    for (const number of classes) {
      for (let group = number * COUNTS; group < (number + 1) * COUNTS; group++) {
        if (this.#heaps[group] !== undefined) this.#refresh(group);
      }
    }
  }

  #refresh(group: number): void {
    const heap = this.#heaps[group] as NodeHeap;
    if (heap.size === 0) this.#groups.remove(group);
    else this.#groups.set(group, this.#mean(group, heap.scoreOf(heap.best)));
  }

  #mean(group: number, sum: number): number {
    const term = this.#spreads.term(Math.floor(group / COUNTS));
    const count = (group % COUNTS) + 1;
    return term === 0 ? sum / count : (sum + term) / (count + 1);
  }

  #group(slot: number, count: number): number {
    return this.#spreads.classOf(slot) * COUNTS + count - 1;
  }

  #heapOf(group: number): NodeHeap {
    let heap = this.#heaps[group];
    if (heap === undefined) {
      heap = new NodeHeap(0, this.#seed, this.#columns);
      this.#heaps[group] = heap;
    }
    return heap;
  }
}
