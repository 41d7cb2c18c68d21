import type { Clock, Service } from "@steppe/model";
import type { EventsDefinition } from "@steppe/proto";
import { EventRing, eventStream, topicFilter } from "@steppe/watch";
import { deriveEvents } from "../events/derive-events.ts";
import { replayEvents } from "../events/replay-events.ts";
import type { Replica } from "../replica.ts";
import { namespaceOf } from "./read.ts";

/** Changed things that are kept at hand: a few megabytes, and minutes of a busy region. */
const EVENTS_KEPT = 16_384;

/** What changed in this region, straight from the entries as they are applied. */
export function createEvents({ applier, log, view }: Replica, clock: Clock): Service<EventsDefinition> {
  const ring = new EventRing(applier.appliedIndex, EVENTS_KEPT);
  applier.onApplied(({ index, entry, changes }) => ring.add(index, deriveEvents(entry, changes, view)));
  const source = { ring, clock, replay: (index: number, signal: AbortSignal) => replayEvents(log, index, signal) };
  return {
    stream: ({ Query, Topics, Index }, { signal }) =>
      eventStream(source, { from: Index, wanted: topicFilter(Topics, namespaceOf(Query)), signal }),
  };
}
