import { type Clock, SteppeError } from "@steppe/model";
import type { Event, EventBatch } from "@steppe/proto";
import type { EntryEvents, EventRing } from "./event-ring.ts";

/** Without any other word, so often. */
const HEARTBEAT_MS = 30_000;

const HEARTBEAT: EventBatch = { Index: 0, Events: [] };

export interface EventSource {
  readonly ring: EventRing;
  /**
   * Entries from `index` on that the ring no longer has, derived again from what the log keeps; goes on with new
   * entries for as long as it is read. Rejects with `invalid` when the log no longer has them either.
   */
  replay(index: number, signal: AbortSignal): Promise<AsyncIterable<EntryEvents>>;
  readonly clock: Clock;
}

export interface EventQuery {
  /** 0 = the oldest at hand. */
  readonly from: number;
  readonly wanted: (event: Event) => boolean;
  readonly signal: AbortSignal;
}

/**
 * Batches in the order of the log, each entry once, until the signal aborts. Memory does not grow with a
 * reader that is slow: one that falls behind what the ring keeps is cut off, and told where it stood.
 */
export async function* eventStream(
  source: EventSource,
  { from, wanted, signal }: EventQuery,
): AsyncGenerator<EventBatch> {
  const { ring } = source;
  let next = from === 0 ? ring.first : from;
  // Before the first word, so that the reader is refused rather than cut off.
  const older = next < ring.first ? (await source.replay(next, signal))[Symbol.asyncIterator]() : undefined;
  try {
    yield HEARTBEAT;
    for (let read = await older?.next(); read !== undefined && read.done !== true; read = await older?.next()) {
      const entry = read.value;
      if (entry.index < next) continue;
      // What is at hand now is taken from there.
      if (next >= ring.first) break;
      const batch = batchOf(entry, wanted);
      next = entry.index + 1;
      if (batch !== undefined) yield batch;
    }
  } finally {
    // Also when nothing was read of it.
    await older?.return?.();
  }
  while (!signal.aborted) {
    if (next < ring.first) throw fellBehind(next, ring.first);
    const entry = ring.from(next);
    if (entry === undefined) {
      if (await quiet(source, signal)) yield HEARTBEAT;
      continue;
    }
    next = entry.index + 1;
    const batch = batchOf(entry, wanted);
    if (batch !== undefined) yield batch;
  }
}

function batchOf(entry: EntryEvents, wanted: (event: Event) => boolean): EventBatch | undefined {
  const Events = entry.events().filter(wanted);
  return Events.length === 0 ? undefined : { Index: entry.index, Events };
}

/** Waits for an entry; true when none came in time. */
async function quiet({ ring, clock }: EventSource, signal: AbortSignal): Promise<boolean> {
  const woken = new AbortController();
  const stop = ring.subscribe(() => woken.abort());
  try {
    return await clock.after(HEARTBEAT_MS, AbortSignal.any([signal, woken.signal])).then(
      () => true,
      () => false,
    );
  } finally {
    stop();
  }
}

function fellBehind(next: number, first: number): SteppeError {
  const text =
    `the reader of this stream is too slow: events from index ${next} on are no longer at hand, the oldest are of ` +
    `index ${first}. Ask again with index=${next} to have them read back from the log.`;
  return new SteppeError("refused", text);
}
