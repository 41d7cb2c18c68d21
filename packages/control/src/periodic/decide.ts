import { isPeriodicActive } from "@steppe/model";
import type { Job } from "@steppe/proto";
import type { CronTicks } from "./cron.ts";

export interface PeriodicJob {
  readonly job: Job;
  /** Unix nanoseconds of the last launch, or of the registration. */
  readonly lastLaunch: number;
}

/**
 * The tick after the last launch, unix nanoseconds: what is due next, or was missed. Undefined for
 * a job that launches nothing.
 */
export function dueAtNs({ job, lastLaunch }: PeriodicJob, ticks: Pick<CronTicks, "next">): number | undefined {
  if (job.Periodic === undefined || !isPeriodicActive(job)) return undefined;
  return ticks.next(job.Periodic, lastLaunch);
}

/**
 * The tick to launch for now: of those since the last launch the latest, so that a region that was
 * down over several launches one. Undefined when none has come.
 */
export function launchNow(periodic: PeriodicJob, nowNs: number, ticks: CronTicks): number | undefined {
  const dueNs = dueAtNs(periodic, ticks);
  if (dueNs === undefined || dueNs > nowNs || periodic.job.Periodic === undefined) return undefined;
  return Math.max(dueNs, ticks.latest(periodic.job.Periodic, nowNs) ?? dueNs);
}
