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

/** One reason for all: the default one is a new exception with its stack trace. */
const OVER = new Error("the wait is over");

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
  const { signal } = options.call;
  signal.throwIfAborted();
  // One signal for the end of the time and of the client: thousands wait, and `AbortSignal.any` is dear.
  const over = new AbortController();
  const end = () => over.abort(OVER);
  signal.addEventListener("abort", end);
  const timer = clock
    .after((asked * (1 + fraction() * JITTER)) / MILLISECOND_NS, over.signal)
    .then(end, () => undefined);
  try {
    return await untilChanged(find, options, watches, over.signal);
  } finally {
    signal.removeEventListener("abort", end);
    end();
    await timer;
    signal.throwIfAborted();
  }
}

function untilChanged<T>(
  find: () => Found<T>,
  options: BlockingOptions,
  watches: Watches,
  ends: AbortSignal,
): Promise<Found<T>> {
  return new Promise((resolve, reject) => {
    const finish = (take: () => Found<T>) => {
      unsubscribe();
      ends.removeEventListener("abort", end);
      try {
        resolve(take());
      } catch (error) {
        reject(error);
      }
    };
    const end = () => finish(find);
    const look = () => {
      const found = find();
      if (found.changedAt > options.minIndex) finish(() => found);
    };
    const stops = keysOf(options.key).map((key) => watches.subscribe(key, look));
    const unsubscribe = () => {
      for (const stop of stops) stop();
    };
    if (ends.aborted) end();
    else ends.addEventListener("abort", end);
  });
}

function keysOf(key: WatchKey | readonly WatchKey[]): readonly WatchKey[] {
  return "kind" in key ? [key] : key;
}
