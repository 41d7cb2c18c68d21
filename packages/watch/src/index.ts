export { type BlockingOptions, blockingQuery, type Found } from "./blocking-query.ts";
export { type EntryEvents, EventRing } from "./events/event-ring.ts";
export { type EventQuery, type EventSource, eventStream } from "./events/event-stream.ts";
export { topicFilter } from "./events/topic-filter.ts";
export { Watches, type WatchKey, type WatchKind } from "./watches.ts";
