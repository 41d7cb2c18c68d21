import type { OwedCopies } from "@steppe/proto";
import { type JobKey, jobKey } from "../changes.ts";

/** What this region owes others, by job. Objects are never changed in place. */
export class OwedCopiesTable {
  readonly byJob: Map<JobKey, OwedCopies> = new Map();

  get(namespace: string, jobId: string): OwedCopies | undefined {
    return this.byJob.get(jobKey(namespace, jobId));
  }

  /** Takes the place of what was owed of the job before; nothing is owed once no region is left. */
  put(owed: OwedCopies): void {
    const key = jobKey(owed.Namespace, owed.JobID);
    if (owed.Regions.length === 0) this.byJob.delete(key);
    else this.byJob.set(key, owed);
  }
}
