import type { Clock } from "@steppe/model";

/** A request that may wait long. */
export interface Held {
  /** Answer now. */
  end(): void;
}

/**
 * The end of the app: blocking queries are answered at once, other requests finish, and what has
 * not finished after the grace time is cut off.
 */
export class Lifecycle {
  closing = false;
  readonly #held = new Set<Held>();
  readonly #closed = new AbortController();

  /** Ends `held` when the app closes before it is released. */
  hold(held: Held): void {
    this.#held.add(held);
    if (this.closing) held.end();
  }

  release(held: Held): void {
    this.#held.delete(held);
  }

  /** Begins the end. */
  close(clock: Clock, graceMs: number, cutConnections: () => void): void {
    this.closing = true;
    for (const held of this.#held) held.end();
    const stop = () => {
      // Closed in time.
    };
    clock.after(graceMs, this.#closed.signal).then(cutConnections, stop);
  }

  /** All connections are closed. */
  closed(): void {
    this.#closed.abort();
  }
}
