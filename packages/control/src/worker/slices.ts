import type { Clock } from "@steppe/model";

/** Longest stretch of scheduling without a turn for requests and timers. */
const SLICE_MS = 4;
/** The same while clients wait. */
const SHORT_SLICE_MS = 1;
/** Pause after a slice while clients wait, in lengths of its turn: then at most a seventh of the time is for scheduling. */
const PAUSE = 6;
/** In a pause it is looked so often whether they still do. */
const LOOK_MS = 1;

/**
 * Cuts the scheduling of one evaluation after the other into slices, between which the event loop has a turn. While
 * `givesWay` says that clients wait, slices are shorter, with pauses between them: what a client waits for comes first,
 * and evaluations that pile up are seen to when it is calm. A slice begins in a turn of its own, so who wrote
 * what is to be scheduled has its answer before.
 */
export class Slices {
  readonly #clock: Clock;
  readonly #givesWay: () => boolean;
  readonly #waiting: (() => void)[] = [];
  /** In a slice, or the turn or pause before the next. */
  #busy = false;

  constructor(clock: Clock, givesWay: () => boolean = () => false) {
    this.#clock = clock;
    this.#givesWay = givesWay;
  }

  /** Resolves when the caller may schedule, which it has to do at once, without waiting for anything. */
  enter(): Promise<void> {
    const { afterTurn } = this.#clock;
    if (afterTurn === undefined) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    if (!this.#busy) {
      this.#busy = true;
      afterTurn(() => void this.#run(afterTurn));
    }
    return promise;
  }

  async #run(afterTurn: (work: () => void) => void): Promise<void> {
    while (this.#waiting.length > 0) {
      const beganMs = this.#clock.monotonicMs();
      const endMs = beganMs + (this.#givesWay() ? SHORT_SLICE_MS : SLICE_MS);
      do {
        this.#waiting.shift()?.();
        // It schedules in the meantime.
        await undefined;
      } while (this.#waiting.length > 0 && this.#clock.monotonicMs() < endMs);
      await new Promise<void>(afterTurn);
      if (this.#givesWay()) await this.#pause(PAUSE * (this.#clock.monotonicMs() - beganMs));
    }
    this.#busy = false;
  }

  /** Until nobody waits, twice in a row: those whose writes share an entry are answered together, and ask again. */
  async #pause(longestMs: number): Promise<void> {
    const endMs = this.#clock.monotonicMs() + longestMs;
    for (let calm = 0; calm < 2; calm = this.#givesWay() ? 0 : calm + 1) {
      const leftMs = endMs - this.#clock.monotonicMs();
      if (leftMs <= 0) return;
      await this.#clock.after(Math.min(leftMs, LOOK_MS));
    }
  }
}
