/**
 * One life of a process: from its start to its end or crash. What its code does to the world passes through here.
 *
 * 1. Code of a life runs only in events of that life (`post`), so a life that is dead never runs again, one that is
 *    paused runs later, and a slow one late.
 * 2. Between two awaits nothing of a process can be seen from outside but its effects: what it sends, and what it
 *    writes. So dying at any await is dying before or after some effect, and `effect` counts them. A dead life's effects
 *    are void: code that still runs in the same turn is a dead man's thought.
 */
import type { Clock, Logger } from "@steppe/model";
import type { Event, Kernel } from "./kernel.ts";
import type { SeededRandom } from "./random.ts";

/** Unix nanoseconds at which every simulation starts. */
export const START_NS = Date.UTC(2026, 0, 1) * 1e6;

/** How a process's clocks differ from true time. Stays with its machine over restarts. */
export interface Skew {
  /** Of the wall clock, milliseconds; may change while it runs: a jump. */
  wallMs: number;
  /** How many of its own milliseconds pass in a true one. */
  readonly rate: number;
}

export interface LifeOptions {
  readonly name: string;
  readonly kernel: Kernel;
  readonly random: SeededRandom;
  readonly logger: Logger;
  readonly skew: Skew;
}

export class Life {
  readonly name: string;
  readonly kernel: Kernel;
  readonly random: SeededRandom;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly #skew: Skew;
  readonly #ends: (() => void)[] = [];
  #isAlive = true;
  #pausedUntilMs = 0;
  #slowUntilMs = 0;
  #slowMs = 0;
  /** Effects until it dies, counted from now; undefined: it does not. */
  #effectsLeft: number | undefined;

  constructor({ name, kernel, random, logger, skew }: LifeOptions) {
    this.name = name;
    this.kernel = kernel;
    this.random = random;
    this.logger = logger;
    this.#skew = skew;
    this.clock = {
      monotonicMs: () => kernel.nowMs * skew.rate,
      wallNs: () => Math.round(START_NS + (kernel.nowMs * skew.rate + skew.wallMs) * 1e6),
      after: (ms, signal) => this.#timer(ms, signal),
    };
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.kernel.nowMs < this.#pausedUntilMs;
  }

  /** When it runs again; in the past while it runs. */
  get resumesMs(): number {
    return this.#pausedUntilMs;
  }

  /** When it last stood still, or was slow: until then its own deadlines may have passed unseen. */
  get lateUntilMs(): number {
    return Math.max(this.#pausedUntilMs, this.#slowUntilMs + this.#slowMs);
  }

  /** Runs `run` in this life at that time, or when it runs again. */
  post(atMs: number, label: string, run: () => void): Event {
    const late = atMs < this.#slowUntilMs ? this.#slowMs * this.random.fraction() : 0;
    return this.kernel.at(atMs + late, `${this.name} ${label}`, () => {
      if (!this.#isAlive) return;
      if (this.isPaused) this.post(this.#pausedUntilMs, label, run);
      else run();
    });
  }

  /** Stands still, timers and all, for so long. */
  pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.kernel.nowMs + ms);
  }

  /** Whatever reaches it for so long does up to `byMs` later. */
  slow(ms: number, byMs: number): void {
    this.#slowUntilMs = this.kernel.nowMs + ms;
    this.#slowMs = byMs;
  }

  jump(wallMs: number): void {
    this.#skew.wallMs += wallMs;
  }

  /** Dies at its `count`-th effect from now, before or after it. */
  dieAtEffect(count: number): void {
    this.#effectsLeft = count;
  }

  /** To be called with each effect: performs it unless the life is over. False: it was not, or nobody will hear of it. */
  effect(perform: () => void): boolean {
    if (!this.#isAlive) return false;
    if (this.#effectsLeft !== undefined) {
      this.#effectsLeft -= 1;
      if (this.#effectsLeft <= 0) {
        if (this.random.chance(0.5)) perform();
        this.end();
        return false;
      }
    }
    perform();
    return true;
  }

  /** Ends at once: a crash. */
  end(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    for (const tell of this.#ends.splice(0)) tell();
  }

  onEnd(tell: () => void): void {
    if (this.#isAlive) this.#ends.push(tell);
    else tell();
  }

  #timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        event.run = undefined;
        cancelled = true;
        reject(signal?.reason);
      };
      let cancelled = false;
      const event = this.post(this.kernel.nowMs + Math.max(0, ms) / this.#skew.rate, "timer", () => {
        if (cancelled) return;
        signal?.removeEventListener("abort", abort);
        resolve();
      });
      signal?.addEventListener("abort", abort, { once: true });
    });
  }
}

/** Messages of one sender to one life that arrive in the order in which they were sent. */
export class Lane {
  readonly #life: Life;
  #lastMs = 0;

  constructor(life: Life) {
    this.#life = life;
  }

  isOf(life: Life): boolean {
    return this.#life === life;
  }

  post(atMs: number, label: string, run: () => void): void {
    this.#lastMs = Math.max(this.#lastMs, atMs);
    this.#await(this.#lastMs, label, run);
  }

  #await(atMs: number, label: string, run: () => void): void {
    const life = this.#life;
    life.kernel.at(atMs, `${life.name} ${label}`, () => {
      if (!life.isAlive) return;
      const resumesMs = life.resumesMs;
      if (resumesMs <= life.kernel.nowMs) return run();
      this.#lastMs = Math.max(this.#lastMs, resumesMs);
      this.#await(resumesMs, label, run);
    });
  }
}
