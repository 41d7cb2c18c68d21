/**
 * How many allocations of a group hold each of its name indexes. Nearly always none or one, so
 * that is kept as a bit; only a canary beside the allocation that it is to replace makes it two.
 */
export class NameCounts {
  /** `BITS` names a number: held at least once. */
  readonly #held: number[] = [];
  /** Holders beyond the first; and all holders of indexes from `DENSE_MAX` on. */
  #more: Map<number, number> | undefined = undefined;

  get(index: number): number {
    const more = this.#more?.get(index) ?? 0;
    if (index >= DENSE_MAX) return more;
    return (((this.#held[Math.floor(index / BITS)] ?? 0) >> (index % BITS)) & 1) + more;
  }

  add(index: number): void {
    if (index >= DENSE_MAX || this.get(index) > 0) {
      this.#more ??= new Map();
      this.#more.set(index, (this.#more.get(index) ?? 0) + 1);
      return;
    }
    const at = Math.floor(index / BITS);
    while (this.#held.length <= at) this.#held.push(0);
    this.#held[at] = (this.#held[at] as number) | (1 << (index % BITS));
  }

  remove(index: number): void {
    const more = this.#more?.get(index) ?? 0;
    if (more > 1) this.#more?.set(index, more - 1);
    else if (more === 1) this.#more?.delete(index);
    else if (index < DENSE_MAX && this.get(index) > 0) {
      const at = Math.floor(index / BITS);
      this.#held[at] = (this.#held[at] as number) & ~(1 << (index % BITS));
    }
    if (this.#more?.size === 0) this.#more = undefined;
  }
}

/** So many fit a small integer on every build of the engine. */
const BITS = 30;

/** Far beyond any group's count; a plan that names a higher index costs no long list. */
const DENSE_MAX = 2 ** 24;
