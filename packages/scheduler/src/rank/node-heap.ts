/**
 * Slots ordered by score, the best on top; equal scores by a permutation of the slots that the
 * seed chooses, so that workers with different seeds break ties differently. A slot is in it at
 * most once. Every change is O(log n).
 */
export class NodeHeap {
  /** Slots in heap order, the first `size` valid. */
  readonly #slots: Int32Array;
  /** By slot: where it is in the heap, -1 when it is not. */
  readonly #placeOf: Int32Array;
  /** By slot. */
  readonly #scores: Float64Array;
  readonly #seed: number;
  #size = 0;

  constructor(slots: number, seed: number) {
    this.#slots = new Int32Array(slots);
    this.#placeOf = new Int32Array(slots).fill(-1);
    this.#scores = new Float64Array(slots);
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

  /** Adds a slot out of order; `order` must follow before anything else. */
  append(slot: number, score: number): void {
    this.#scores[slot] = score;
    this.#put(this.#size++, slot);
  }

  order(): void {
    for (let place = (this.#size >> 1) - 1; place >= 0; place--) this.#down(place);
  }

  /** Adds a slot or changes its score. */
  set(slot: number, score: number): void {
    if (!this.has(slot)) this.#put(this.#size++, slot);
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

  #isBetter(a: number, b: number): boolean {
    const scoreA = this.#scores[a] as number;
    const scoreB = this.#scores[b] as number;
    return scoreA > scoreB || (scoreA === scoreB && shuffled(a, this.#seed) < shuffled(b, this.#seed));
  }
}

/** A bijection on 32 bits, so that no two slots tie. */
function shuffled(slot: number, seed: number): number {
  let h = slot ^ seed;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
