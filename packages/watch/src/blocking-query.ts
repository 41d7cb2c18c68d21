import { type Call, type Clock, MINUTE } from "@steppe/model";
import type { Watches, WatchKey } from "./watches.ts";

const MILLISECOND_NS = 1e6;

/** What a query of the state gives. */
export interface Found<T> {
  /** Index of the last change of the thing asked about: what blocking compares. */
  readonly changedAt: number;
  /** Index that the client is told and comes back with; never 0, never smaller than before. */
  readonly index: number;
  readonly value: T;
}

export interface BlockingOptions {
  /** 0 = answer at once. */
  readonly minIndex: number;
  /** Nanoseconds; 0 = the default. */
  readonly maxTime: number;
  /** Several: any of them. */
  readonly key: WatchKey | readonly WatchKey[];
  /** Its signal, which may be made at the first look, is looked at only when the query waits. */
  readonly call: Pick<Call, "signal">;
}

/** As documented by the peer: 5 minutes unless asked otherwise, 10 minutes at most. */
const WAIT_DEFAULT_NS = 5 * MINUTE;
const WAIT_MAX_NS = 10 * MINUTE;

/** Waits of many clients that began together shall not end together. */
const JITTER = 1 / 16;

/**
 * Runs `find` now and again after each change of the key, until what it finds has changed after
 * `minIndex` or the time is up (then the answer is what there is). Nothing can be missed: the
 * state does not move between `find` and the subscription, as both happen without an await.
 */
export async function blockingQuery<T>(
  find: () => Found<T>,
  options: BlockingOptions,
  watches: Watches,
  clock: Clock,
  fraction: () => number,
): Promise<Found<T>> {
  const first = find();
  if (options.minIndex === 0 || first.changedAt > options.minIndex) return first;
  const asked = options.maxTime > 0 ? Math.min(options.maxTime, WAIT_MAX_NS) : WAIT_DEFAULT_NS;
  const waitMs = (asked * (1 + fraction() * JITTER)) / MILLISECOND_NS;
  options.call.signal.throwIfAborted();
  return await untilOver(find, options, watches, (end) => alarm(clock, waitMs, end));
}

/** Thousands wait, and one change may wake them all: for each there is one promise, one listener and one timer. */
function untilOver<T>(
  find: () => Found<T>,
  { minIndex, key, call: { signal } }: BlockingOptions,
  watches: Watches,
  setTimer: (end: () => void) => () => void,
): Promise<Found<T>> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      for (const stop of stops) stop();
      signal.removeEventListener("abort", gone);
      stopTimer();
    };
    const gone = () => {
      leave();
      reject(signal.reason);
    };
    const answerIf = (isDue: (found: Found<T>) => boolean) => {
      try {
        const found = find();
        if (!isDue(found)) return;
        leave();
        resolve(found);
      } catch (error) {
        leave();
        reject(error);
      }
    };
    const stops = keysOf(key).map((one) => watches.subscribe(one, () => answerIf((it) => it.changedAt > minIndex)));
    const stopTimer = setTimer(() => answerIf(() => true));
    signal.addEventListener("abort", gone);
  });
}

function alarm(clock: Clock, ms: number, ring: () => void): () => void {
  if (clock.alarm !== undefined) return clock.alarm(ms, ring);
  const stopped = new AbortController();
  clock.after(ms, stopped.signal).then(ring, () => undefined);
  return () => stopped.abort();
}

function keysOf(key: WatchKey | readonly WatchKey[]): readonly WatchKey[] {
  return "kind" in key ? [key] : key;
}
