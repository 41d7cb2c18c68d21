import { Job } from "@steppe/proto";
import { SECOND } from "./time.ts";

const SUFFIX = "/periodic-";

/** ID of the child that a periodic job launches at a time: the whole second counts. */
export function periodicChildId(parentId: string, launchTimeNs: number): string {
  return `${parentId}${SUFFIX}${Math.floor(launchTimeNs / SECOND)}`;
}

/** The launch time, unix nanoseconds, in a child's ID; undefined when it is no child's. */
export function launchTimeOf(childId: string): number | undefined {
  const match = /\/periodic-(\d+)$/.exec(childId);
  return match === null ? undefined : Number(match[1]) * SECOND;
}

/**
 * The job that one launch of a periodic job registers. A copy: the parent is not shared. Indexes,
 * version and times start over.
 */
export function periodicChild(parent: Job, launchTimeNs: number): Job {
  const child = Job.decode(Job.encode(parent).finish());
  child.ID = periodicChildId(parent.ID, launchTimeNs);
  child.Name = child.ID;
  child.ParentID = parent.ID;
  child.Periodic = undefined;
  resetServerFields(child);
  return child;
}

/** Indexes, version, status and times of a copy start over. */
export function resetServerFields(job: Job): void {
  job.Stop = false;
  job.Status = "";
  job.StatusDescription = "";
  job.Stable = false;
  job.Version = 0;
  job.VersionTag = undefined;
  job.SubmitTime = 0;
  job.CreateIndex = 0;
  job.ModifyIndex = 0;
  job.JobModifyIndex = 0;
}

export function isPeriodic(job: Pick<Job, "Periodic">): boolean {
  return job.Periodic !== undefined;
}

/** A template for dispatches; its dispatched children are not. */
export function isParameterized(job: Pick<Job, "ParameterizedJob" | "Dispatched">): boolean {
  return job.ParameterizedJob !== undefined && !job.Dispatched;
}

/** Launches children by itself. */
export function isPeriodicActive(job: Job): boolean {
  return job.Periodic?.Enabled === true && !job.Stop && !isParameterized(job);
}

/** The cron expressions of a periodic job, whichever way they were given. */
export function cronSpecs(job: Pick<Job, "Periodic">): readonly string[] {
  const periodic = job.Periodic;
  if (periodic === undefined) return [];
  return periodic.Spec === "" ? periodic.Specs : [periodic.Spec];
}
