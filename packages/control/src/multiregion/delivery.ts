import type { OwedCopies } from "@steppe/proto";
import { Alarm } from "../alarm.ts";
import { handOut } from "./hand-out.ts";
import type { RolloutNeeds, RolloutTiming } from "./needs.ts";

interface Attempt {
  readonly atMs: number;
  readonly delayMs: number;
}

/**
 * Gives other regions what this one owes them, during one term, until they have it. What is owed is in the
 * state, so a new leader goes on with it; regions are tried each on its own, so one that is cut off holds
 * up no other.
 */
export async function deliverCopies(
  term: number,
  needs: RolloutNeeds,
  timing: RolloutTiming,
  signal: AbortSignal,
): Promise<void> {
  const { view, clock, onApplied } = needs;
  const alarm = new Alarm();
  const unsubscribe = onApplied(({ changes }) => {
    if (changes.jobs.size > 0 && view.owed.byJob.size > 0) alarm.ring();
  });
  /** By region: when it is tried next, after it could not be reached. */
  const later = new Map<string, Attempt>();
  const busy = new Set<string>();

  const give = async (region: string, all: readonly OwedCopies[]) => {
    busy.add(region);
    for (const owed of all) if (!(await deliver(owed, region))) break;
    busy.delete(region);
    alarm.ring();
  };
  const deliver = async (owed: OwedCopies, region: string) => {
    const { Namespace, JobID, Rollout } = owed;
    try {
      await handOut(owed, region, needs.route, CALL_MS);
      const value = { Term: term, Namespace, JobID, Rollout, Regions: [region] };
      await needs.propose({ $case: "SettleCopies", value }, { signal });
      later.delete(region);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const delayMs = Math.min((later.get(region)?.delayMs ?? timing.retryMs / 2) * 2, timing.retryMaxMs);
      later.set(region, { atMs: clock.monotonicMs() + delayMs, delayMs });
      needs.logger.warn(
        { err: error, job: JobID, region, againMs: delayMs },
        "a region did not take its copy of a job",
      );
      return false;
    }
  };

  while (!signal.aborted) {
    const due = new Map<string, OwedCopies[]>();
    for (const owed of view.owed.byJob.values()) {
      if (owed.Rollout / 1e6 + timing.handOverMs > clock.wallNs() / 1e6) continue;
      for (const region of owed.Regions) {
        if (busy.has(region) || (later.get(region)?.atMs ?? 0) > clock.monotonicMs()) continue;
        due.set(region, [...(due.get(region) ?? []), owed]);
      }
    }
    for (const [region, all] of due) void give(region, all);
    const waitsMs = view.owed.byJob.size === 0 ? Number.POSITIVE_INFINITY : timing.retryMs;
    await alarm.wait(clock, waitsMs, signal);
  }
  unsubscribe();
}

const CALL_MS = 5_000;
