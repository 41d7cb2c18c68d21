/** Hands out the indexes of allocation names, `job.group[i]`: each once, the lowest first. */
export class NameIndexes {
  /** Below `#lowest` all are taken, whether or not they are in here. */
  readonly #taken: Set<number>;
  #lowest = 0;

  constructor(taken: Iterable<number>) {
    this.#taken = new Set(taken);
  }

  /** This one if it is free, else the lowest. */
  prefer(index: number): number {
    if (index < this.#lowest || this.#taken.has(index)) return this.lowest();
    this.#taken.add(index);
    return index;
  }

  lowest(): number {
    while (this.#taken.has(this.#lowest)) this.#lowest += 1;
    return this.#lowest++;
  }
}
