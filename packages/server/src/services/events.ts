import type { Clock, Service } from "@steppe/model";
import type { EventsDefinition } from "@steppe/proto";
import { EventRing, eventStream, topicFilter } from "@steppe/watch";
import type { LocalStore } from "../durability/local-store.ts";
import { deriveEvents } from "../events/derive-events.ts";
import { replayEvents } from "../events/replay-events.ts";
import { Turns } from "../events/turns.ts";
import type { Replica } from "../replica.ts";
import { namespaceOf } from "./read.ts";

/** Changed things that are kept at hand: a few megabytes, and minutes of a busy region. */
const EVENTS_KEPT = 16_384;

/** Readers of what is no longer at hand, at a time: each has a second state. The others wait. */
const REPLAYS_MAX = 2;

/** An entry that changes so many allocations is large: to note them all takes a quarter of what applying them does. */
export const LARGE_MIN = 256;

/** So long after the last reader has left it may come back, and is to find all at hand. */
const READER_BACK_MS = 300_000;

/** What changed in this region, straight from the entries as they are applied. */
export function createEvents(
  { applier, log, view }: Replica,
  clock: Clock,
  store?: LocalStore,
): Service<EventsDefinition> {
  const turns = new Turns(REPLAYS_MAX);
  const ring = new EventRing(applier.appliedIndex, EVENTS_KEPT);
  let [readers, leftMs] = [0, Number.NEGATIVE_INFINITY];
  const isRead = () => readers > 0 || clock.monotonicMs() - leftMs < READER_BACK_MS;
  // They tell of the state as the entry left it, and are told when the entry is kept.
  const derived = new Map<number, ReturnType<typeof deriveEvents>>();
  applier.onApplied(({ index, entry, changes }) => {
    // Nobody listens, and the log has it for whoever comes.
    if (changes.allocations.size >= LARGE_MIN && !isRead()) {
      derived.clear();
      ring.pass(index);
    } else derived.set(index, deriveEvents(entry, changes, view));
  });
  applier.onKept(({ index }) => {
    // One that was applied before the ring began, or that was passed, is not at hand.
    if (derived.has(index)) ring.add(index, derived.get(index));
    derived.delete(index);
  });
  const replay = (index: number, signal: AbortSignal) =>
    turns.take(signal, async () => {
      // What was passed may be on its way to the disk, which it is read from.
      await applier.waitFor(ring.first - 1, signal);
      return await replayEvents(log, store, { index, atHand: ring.first }, signal);
    });
  const source = { ring, clock, replay };
  return {
    async *stream({ Query, Topics, Index }, { signal }) {
      readers += 1;
      try {
        yield* eventStream(source, { from: Index, wanted: topicFilter(Topics, namespaceOf(Query)), signal });
      } finally {
        readers -= 1;
        leftMs = clock.monotonicMs();
      }
    },
  };
}
