// When a failed allocation may be replaced. Times and delays are nanoseconds.
import { type RescheduleEvent, type ReschedulePolicy, RescheduleTracker } from "@steppe/proto";

/** Events that a policy without a limit of attempts keeps, enough for its next delay. */
export const RESCHEDULE_EVENTS_KEPT = 5;

export interface NextReschedule {
  /** The policy allows another attempt. */
  readonly eligible: boolean;
  /** The earliest time of it, unix nanoseconds; what the delay alone says when not eligible. */
  readonly at: number;
  /** The delay that is waited, to be recorded with the attempt. */
  readonly delay: number;
}

const NEVER: NextReschedule = { eligible: false, at: 0, delay: 0 };

/**
 * When an allocation that failed at `failTime` may be replaced. `tracker` tells the replacements
 * that led to it. Whether it failed at all, and whether it was told to stop, is the caller's to check.
 */
export function nextReschedule(
  policy: ReschedulePolicy | undefined,
  tracker: RescheduleTracker | undefined,
  failTime: number,
): NextReschedule {
  if (!isRescheduleEnabled(policy)) return NEVER;
  const events = tracker?.Events ?? [];
  const delay = nextDelay(policy, events, failTime);
  return { eligible: hasAttemptsLeft(policy, events, failTime, delay), at: failTime + delay, delay };
}

export function isRescheduleEnabled(policy: ReschedulePolicy | undefined): policy is ReschedulePolicy {
  return policy !== undefined && ((policy.Attempts ?? 0) > 0 || policy.Unlimited === true);
}

/** A limit of attempts counts those whose time lies within the interval before the failure. */
function hasAttemptsLeft(
  policy: ReschedulePolicy,
  events: readonly RescheduleEvent[],
  failTime: number,
  delay: number,
): boolean {
  const attempts = policy.Attempts ?? 0;
  if (attempts === 0) return true;
  if (events.length === 0) return true;
  const interval = policy.Interval ?? 0;
  const attempted = events.filter((event) => failTime - event.RescheduleTime < interval).length;
  return attempted < attempts && delay < interval;
}

function nextDelay(policy: ReschedulePolicy, events: readonly RescheduleEvent[], failTime: number): number {
  const base = policy.Delay ?? 0;
  const last = events.at(-1);
  if (last === undefined) return base;
  const delay = grow(policy, base, events, last);
  if (delay === undefined) return base;
  const ceiling = policy.MaxDelay ?? 0;
  if (ceiling === 0 || delay <= ceiling) return delay;
  // An allocation that outlived the ceiling starts the series anew.
  return failTime - last.RescheduleTime > ceiling ? base : ceiling;
}

/** Undefined for the constant function. */
function grow(
  policy: ReschedulePolicy,
  base: number,
  events: readonly RescheduleEvent[],
  last: RescheduleEvent,
): number | undefined {
  if (policy.DelayFunction === "exponential") return last.Delay * 2;
  if (policy.DelayFunction !== "fibonacci") return undefined;
  const beforeLast = events.at(-2);
  if (beforeLast === undefined) return base;
  // The ceiling followed by the base delay: the series was started anew.
  if (beforeLast.Delay === policy.MaxDelay && last.Delay === base) return base;
  return last.Delay + beforeLast.Delay;
}

/** The tracker of a replacement: the previous one's events that still matter, and the new one. */
export function trackReschedule(
  policy: ReschedulePolicy | undefined,
  previous: RescheduleTracker | undefined,
  event: RescheduleEvent,
): RescheduleTracker {
  const events = previous?.Events ?? [];
  const limited = policy !== undefined && (policy.Attempts ?? 0) > 0;
  const interval = policy?.Interval ?? 0;
  const kept = limited
    ? events.filter((past) => interval === 0 || event.RescheduleTime - past.RescheduleTime <= interval)
    : events.slice(-RESCHEDULE_EVENTS_KEPT);
  return RescheduleTracker.create({ Events: [...kept, event], LastReschedule: "ok" });
}
