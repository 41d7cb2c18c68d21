import type { Clock } from "@steppe/model";

/** Timers overflow at 2^31 ms; a later deadline is looked at again after an hour. */
const ALARM_MAX_MS = 3_600_000;

/** Shorter waits end no sooner, and where the clock runs slower than timers, ever shorter ones would never end. */
const ALARM_MIN_MS = 1;

/** One reason for all: the default one is a new exception with its stack trace. */
const SET_ANEW = new Error("the alarm is set anew");

/**
 * One timer for all who wait until a deadline of their own, set to the earliest one that was known when it was
 * set. Whoever is answered in time leaves it running: to wake for nothing once in a while costs less than a
 * timer for each.
 */
export class DeadlineAlarm {
  readonly #clock: Clock;
  readonly #expire: (nowMs: number) => number;
  #set: { readonly at: number; readonly stop: AbortController } | undefined;

  /** `expire` lets go whose time is up and returns the earliest deadline that is left, infinite when there is none. */
  constructor(clock: Clock, expire: (nowMs: number) => number) {
    this.#clock = clock;
    this.#expire = expire;
  }

  /** `deadline`: on the clock's monotonic milliseconds. */
  watch(deadline: number): void {
    if (this.#set !== undefined && this.#set.at <= deadline) return;
    this.stop();
    if (deadline === Number.POSITIVE_INFINITY) return;
    const stop = new AbortController();
    this.#set = { at: deadline, stop };
    const left = Math.max(ALARM_MIN_MS, deadline - this.#clock.monotonicMs());
    this.#clock.after(Math.min(left, ALARM_MAX_MS), stop.signal).then(
      () => this.#ring(),
      () => undefined,
    );
  }

  stop(): void {
    this.#set?.stop.abort(SET_ANEW);
    this.#set = undefined;
  }

  #ring(): void {
    this.#set = undefined;
    this.watch(this.#expire(this.#clock.monotonicMs()));
  }
}
