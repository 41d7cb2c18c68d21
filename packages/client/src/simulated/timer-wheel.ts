// Many ends of tasks, one timer: due times are rounded up to ticks, and a tick is one list.
import type { Clock } from "@steppe/model";

const TICK_MS = 100;

export class TimerWheel<T> {
  readonly #clock: Clock;
  readonly #due: (items: readonly T[]) => void;
  readonly #closing = new AbortController();
  readonly #ticks = new Map<number, Map<string, T>>();
  /** Tick by key. */
  readonly #tickOf = new Map<string, number>();
  #turning = false;
  #lastTick: number;

  constructor(clock: Clock, due: (items: readonly T[]) => void) {
    this.#clock = clock;
    this.#due = due;
    this.#lastTick = Math.floor(clock.monotonicMs() / TICK_MS);
  }

  get size(): number {
    return this.#tickOf.size;
  }

  has(key: string): boolean {
    return this.#tickOf.has(key);
  }

  add(key: string, item: T, afterMs: number): void {
    this.cancel(key);
    if (!this.#turning) this.#lastTick = Math.floor(this.#clock.monotonicMs() / TICK_MS);
    const tick = Math.max(this.#lastTick + 1, Math.ceil((this.#clock.monotonicMs() + afterMs) / TICK_MS));
    let items = this.#ticks.get(tick);
    if (items === undefined) {
      items = new Map();
      this.#ticks.set(tick, items);
    }
    items.set(key, item);
    this.#tickOf.set(key, tick);
    void this.#turn();
  }

  cancel(key: string): void {
    const tick = this.#tickOf.get(key);
    if (tick === undefined) return;
    this.#tickOf.delete(key);
    this.#ticks.get(tick)?.delete(key);
  }

  close(): void {
    this.#closing.abort();
  }

  async #turn(): Promise<void> {
    if (this.#turning) return;
    this.#turning = true;
    while (this.#tickOf.size > 0) {
      try {
        await this.#clock.after(TICK_MS, this.#closing.signal);
      } catch {
        return;
      }
      this.#fire(Math.floor(this.#clock.monotonicMs() / TICK_MS));
    }
    this.#ticks.clear();
    this.#turning = false;
  }

  #fire(untilTick: number): void {
    for (let tick = this.#lastTick + 1; tick <= untilTick; tick++) {
      const items = this.#ticks.get(tick);
      if (items === undefined) continue;
      this.#ticks.delete(tick);
      for (const key of items.keys()) this.#tickOf.delete(key);
      if (items.size > 0) this.#due([...items.values()]);
    }
    this.#lastTick = Math.max(this.#lastTick, untilTick);
  }
}
