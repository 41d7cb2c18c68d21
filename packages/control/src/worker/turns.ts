/**
 * Who of one worker may schedule while plans of others are on their way. A pass sees nothing of a plan that is not
 * applied yet and takes the same best nodes, so two large ones at once are one that is refused; small ones seldom
 * meet. First come, first served.
 */
export class Turns {
  #holders = 0;
  #alone = false;
  readonly #waiting: { readonly alone: boolean; readonly enter: () => void }[] = [];

  /** Runs `work` beside others, or `alone`: when none is under way, and then none begins. */
  async take<T>(alone: boolean, work: () => Promise<T>): Promise<T> {
    if (this.#waiting.length > 0 || !this.#mayEnter(alone)) {
      await new Promise<void>((enter) => this.#waiting.push({ alone, enter }));
    } else this.#enter(alone);
    try {
      return await work();
    } finally {
      this.#holders -= 1;
      this.#alone = false;
      this.#admit();
    }
  }

  #mayEnter(alone: boolean): boolean {
    return this.#holders === 0 || !(alone || this.#alone);
  }

  #enter(alone: boolean): void {
    this.#holders += 1;
    this.#alone = alone;
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#mayEnter(next.alone); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#enter(next.alone);
      next.enter();
    }
  }
}
