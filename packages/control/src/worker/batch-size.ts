/**
 * How many evaluations a worker asks for at once. A pass sees nothing of plans that are on their way, so where nodes
 * are nearly full many at once take the same places; then fewer are better, and after a while more again.
 */
export class BatchSize {
  readonly #max: number;
  #size: number;

  constructor(max: number) {
    this.#max = max;
    this.#size = max;
  }

  get size(): number {
    return this.#size;
  }

  /** A batch has ended; `lost`: a plan of it was refused in part. */
  ended(lost: boolean): void {
    this.#size = lost ? Math.max(Math.floor(this.#size / 2), 1) : Math.min(this.#size + 1, this.#max);
  }
}
