import type { Clock } from "@steppe/model";

interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

/** A clock that stands still until the test moves it. */
export class SteppedClock implements Clock {
  #now = 0;
  #timers: Timer[] = [];

  monotonicMs(): number {
    return this.#now;
  }

  wallNs(): number {
    return 1_700_000_000_000_000_000 + this.#now * 1e6;
  }

  after(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const timer = { at: this.#now + ms, fire: resolve };
      this.#timers.push(timer);
      signal?.addEventListener("abort", () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        reject(signal.reason);
      });
    });
  }

  /** Fires, one by one and in order, every timer that falls due; what each wakes runs before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
      await settled();
    }
    this.#now = end;
  }
}

/** Resolves when everything that can run without a timer or I/O has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
