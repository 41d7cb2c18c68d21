import type { ServerResponse } from "node:http";
import type { Clock } from "@steppe/model";

/**
 * The end of the app: blocking queries are answered at once, other requests finish, and what has
 * not finished after the grace time is cut off.
 */
export class Lifecycle {
  closing = false;
  readonly #held = new Set<() => void>();
  readonly #closed = new AbortController();

  /** Calls `release` when the app closes before `response` is done. */
  hold(response: ServerResponse, release: () => void): void {
    if (this.closing) {
      release();
      return;
    }
    this.#held.add(release);
    response.once("close", () => this.#held.delete(release));
  }

  /** Begins the end. */
  close(clock: Clock, graceMs: number, cutConnections: () => void): void {
    this.closing = true;
    for (const release of this.#held) release();
    this.#held.clear();
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
