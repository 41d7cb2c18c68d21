import type { JobView } from "@steppe/state";

/** A job of so many allocations may well fill the nodes that others would take. */
export const LARGE = 100;

/** Allocations that a job asks for; 0 for one that is gone. */
export function wantedBy(job: JobView | undefined): number {
  return job === undefined ? 0 : job.job.TaskGroups.reduce((sum, { Count }) => sum + (Count ?? 0), 0);
}
