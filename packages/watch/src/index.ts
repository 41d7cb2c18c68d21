export { type BlockingOptions, blockingQuery, type Found } from "./blocking-query.ts";
export { Watches, type WatchKey, type WatchKind } from "./watches.ts";
