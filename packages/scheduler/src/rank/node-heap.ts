import type { Scratch } from "../scratch.ts";

/** By slot: where it is in its heap, -1 when in none; and its score. */
export interface SlotColumns {
  readonly placeOf: Int32Array;
  readonly scores: Float64Array;
}

export function slotColumns(slots: number, scratch: Scratch): SlotColumns {
  return { placeOf: scratch.ints(slots, -1), scores: scratch.floats(slots) };
}

/**
 * Slots ordered by score, the best on top; equal scores by a permutation of the slots that the
 * seed chooses, so that workers with different seeds break ties differently. A slot is in it at
 * most once. Every change is O(log n).
 */
export class NodeHeap {
  /** Slots in heap order, the first `size` valid; grows where it is too short. */
  #slots: Int32Array;
  readonly #placeOf: Int32Array;
  readonly #scores: Float64Array;
  readonly #seed: number;
  #size = 0;

  /** Several heaps may share columns, as long as a slot is in one of them at a time. */
  constructor(slots: number, seed: number, columns: SlotColumns, scratch?: Scratch) {
    this.#slots = scratch?.ints(slots) ?? new Int32Array(slots);
    this.#placeOf = columns.placeOf;
    this.#scores = columns.scores;
    this.#seed = seed;
  }

  get size(): number {
    return this.#size;
  }

  /** -1 when empty. */
  get best(): number {
    return this.#size === 0 ? -1 : (this.#slots[0] as number);
  }

  scoreOf(slot: number): number {
    return this.#scores[slot] as number;
  }

  has(slot: number): boolean {
    return this.#placeOf[slot] !== -1;
  }

  /** The `count` best, best first; costs O(count²). */
  top(count: number): number[] {
    const found: number[] = [];
    const open = this.#size > 0 ? [0] : [];
    while (found.length < count && open.length > 0) {
      let at = 0;
      for (let i = 1; i < open.length; i++) if (this.#isBetterAt(open[i] as number, open[at] as number)) at = i;
      const [place] = open.splice(at, 1) as [number];
      found.push(this.#slots[place] as number);
      for (const child of [2 * place + 1, 2 * place + 2]) if (child < this.#size) open.push(child);
    }
    return found;
  }

  /** Adds a slot out of order; `order` must follow before anything else. */
  append(slot: number, score: number): void {
    this.#scores[slot] = score;
    this.#put(this.#lengthen(), slot);
  }

  order(): void {
    for (let place = (this.#size >> 1) - 1; place >= 0; place--) this.#down(place);
  }

  /** Adds a slot or changes its score. */
  set(slot: number, score: number): void {
    if (!this.has(slot)) this.#put(this.#lengthen(), slot);
    this.#scores[slot] = score;
    this.#settle(this.#placeOf[slot] as number);
  }

  remove(slot: number): void {
    const place = this.#placeOf[slot] as number;
    if (place === -1) return;
    this.#placeOf[slot] = -1;
    this.#size -= 1;
    if (place === this.#size) return;
    this.#put(place, this.#slots[this.#size] as number);
    this.#settle(place);
  }

  /** The place that this adds. */
  #lengthen(): number {
    if (this.#size === this.#slots.length) {
      const wider = new Int32Array(Math.max(4, 2 * this.#size));
      wider.set(this.#slots);
      this.#slots = wider;
    }
    return this.#size++;
  }

  #settle(place: number): void {
    if (this.#up(place) === place) this.#down(place);
  }

  #up(from: number): number {
    const slot = this.#slots[from] as number;
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#slots[parent] as number;
      if (!this.#isBetter(slot, above)) break;
      this.#put(place, above);
      place = parent;
    }
    this.#put(place, slot);
    return place;
  }

  #down(from: number): void {
    const slot = this.#slots[from] as number;
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) break;
      const sibling = child + 1;
      if (sibling < this.#size && this.#isBetter(this.#slots[sibling] as number, this.#slots[child] as number)) {
        child = sibling;
      }
      const below = this.#slots[child] as number;
      if (!this.#isBetter(below, slot)) break;
      this.#put(place, below);
      place = child;
    }
    this.#put(place, slot);
  }

  #put(place: number, slot: number): void {
    this.#slots[place] = slot;
    this.#placeOf[slot] = place;
  }

  #isBetterAt(a: number, b: number): boolean {
    return this.#isBetter(this.#slots[a] as number, this.#slots[b] as number);
  }

  #isBetter(a: number, b: number): boolean {
    const scoreA = this.#scores[a] as number;
    const scoreB = this.#scores[b] as number;
    return scoreA > scoreB || (scoreA === scoreB && shuffled(a, this.#seed) < shuffled(b, this.#seed));
  }
}

/**
 * A bijection on 32 bits, so that no two slots tie; neighbours, which are often alike and in one
 * place, come far apart. One multiplication: where all nodes are alike, each comparison asks twice.
 */
function shuffled(slot: number, seed: number): number {
  return Math.imul(slot ^ seed, 0x9e3779b1) >>> 0;
}
