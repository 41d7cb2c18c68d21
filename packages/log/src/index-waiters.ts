interface Waiter {
  readonly index: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Who waits for which index, in the order of the indexes. */
export class IndexWaiters {
  // Ascending. Most arrive with the newest index, so that adding is a push.
  readonly #waiters: Waiter[] = [];

  /** Resolves when `reached` is called with `index` or more. */
  add(index: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(signal?.reason);
      };
      const settled = () => signal?.removeEventListener("abort", stop);
      const waiter: Waiter = {
        index,
        resolve: () => {
          settled();
          resolve();
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      this.#waiters.splice(this.#after(index), 0, waiter);
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  reached(index: number): void {
    if ((this.#waiters[0]?.index ?? Number.POSITIVE_INFINITY) > index) return;
    for (const waiter of this.#waiters.splice(0, this.#after(index))) waiter.resolve();
  }

  rejectAll(error: unknown): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  /** Position behind the last waiter for `index` or less. */
  #after(index: number): number {
    let low = 0;
    let high = this.#waiters.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#waiters[middle]?.index ?? 0) <= index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
