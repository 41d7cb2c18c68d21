import type { Clock } from "@steppe/model";

/** Longest stretch of scheduling without a turn for requests and timers. */
const SLICE_MS = 4;
/** The same while clients wait. */
const SHORT_SLICE_MS = 2;
/** Pause after a slice while clients wait, in lengths of the slice: then a quarter of the time is for scheduling. */
const PAUSE = 3;

/**
 * Cuts the scheduling of one evaluation after the other into slices, between which the event loop has a turn. While
 * `givesWay` says that clients wait, slices are shorter, with pauses between them: what a client waits for comes first,
 * and evaluations that pile up are seen to when it is calm.
 */
export class Slices {
  readonly #clock: Clock;
  readonly #givesWay: () => boolean;
  /** The one under way, or the pause behind it. */
  #slice: Slice | undefined;

  constructor(clock: Clock, givesWay: () => boolean = () => false) {
    this.#clock = clock;
    this.#givesWay = givesWay;
  }

  /** Resolves when scheduling may go on, which is at once while the slice lasts. */
  async enter(): Promise<void> {
    const { afterTurn } = this.#clock;
    if (afterTurn === undefined) return;
    while (this.#slice !== undefined && this.#clock.monotonicMs() >= this.#slice.endMs) await this.#slice.over;
    this.#slice ??= this.#begin(afterTurn);
  }

  #begin(afterTurn: (work: () => void) => void): Slice {
    const beganMs = this.#clock.monotonicMs();
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const slice: Slice = { endMs: beganMs + (this.#givesWay() ? SHORT_SLICE_MS : SLICE_MS), over };
    const end = () => {
      this.#slice = undefined;
      resolve();
    };
    afterTurn(() => {
      slice.endMs = Number.NEGATIVE_INFINITY;
      if (this.#givesWay()) void this.#clock.after(PAUSE * (this.#clock.monotonicMs() - beganMs)).then(end);
      else end();
    });
    return slice;
  }
}

interface Slice {
  /** On the monotonic clock; nothing is scheduled any more from then on. */
  endMs: number;
  /** Resolves when the next slice may begin. */
  readonly over: Promise<void>;
}
