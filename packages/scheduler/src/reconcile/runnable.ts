import type { Job } from "@steppe/proto";

/** Templates of periodic and dispatched jobs run nothing themselves. */
export function isRunnable(job: Job): boolean {
  const isTemplate = job.Periodic !== undefined || (job.ParameterizedJob !== undefined && !job.Dispatched);
  return !job.Stop && !isTemplate;
}
