import { QUEUE_LIMITS, type QueueLimits } from "./queue.ts";

/** Milliseconds. */
export interface BrokerOptions extends Partial<QueueLimits> {
  /** How long a dequeue is held at most, whatever the worker asks for. */
  readonly holdMaxMs?: number;
  /** How long after its acknowledgement the end of an evaluation must have been applied here. */
  readonly ackLagMs?: number;
  /** Between two looks at evaluations that lost too many races. */
  readonly conflictRetryMs?: number;
}

export type BrokerSettings = Required<BrokerOptions>;

export function brokerSettings(options: BrokerOptions = {}): BrokerSettings {
  return { ...QUEUE_LIMITS, holdMaxMs: 5_000, ackLagMs: 5_000, conflictRetryMs: 5_000, ...options };
}

/** A failed evaluation is tried again after a minute, and up to five more so that many do not come back together. */
export const FOLLOW_UP_MS = 60_000;
export const FOLLOW_UP_SPREAD_MS = 300_000;
