import type { Clock } from "@steppe/model";

/**
 * What a loop sleeps on: woken by time, by `ring`, or by the end of its duty. A ring while nobody
 * waits is remembered, so that nothing said between two waits is missed.
 */
export class Alarm {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves when rung, when `ms` have passed or when the signal aborts; never rejects. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) await this.#sleep(clock, ms, signal);
    this.#rung = false;
  }

  async #sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    const round = new AbortController();
    const wake = () => round.abort(WOKEN);
    this.#wake = wake;
    signal.addEventListener("abort", wake, { once: true });
    // At least a millisecond, so that a duty that is due but cannot go on never spins.
    const sleepMs = Math.min(Math.max(Math.ceil(ms), 1), SLEEP_MAX_MS);
    // The timer rejects only because it was cut short, which is what waking means here.
    await clock.after(sleepMs, round.signal).catch(() => undefined);
    signal.removeEventListener("abort", wake);
    this.#wake = undefined;
  }
}

/** One reason for all: the default one is a new exception with its stack trace. */
const WOKEN = new Error("woken");

/** Loops that wait for a wall-clock time look again this often, so a clock that jumped costs no more. */
const SLEEP_MAX_MS = 60_000;
