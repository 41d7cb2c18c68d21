import type { Link } from "./link.ts";
import type { TransportFailure } from "./transport-failure.ts";

/** Something that waits for a channel to be connected, or for an answer over it. */
export interface Pending {
  /** On the monotonic clock; Infinity: no limit. */
  readonly deadlineMs: number;
  /** Unset while it waits for a connection. */
  readonly link: Link | undefined;
  start(link: Link): void;
  fail(failure: TransportFailure): void;
  /** The deadline has passed. */
  expire(nowMs: number): void;
}
