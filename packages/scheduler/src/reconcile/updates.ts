import { groupUpdate } from "@steppe/model";
import type { Job, TaskGroup } from "@steppe/proto";
import { type AllocationView, groupOf } from "@steppe/state";

export type Update = ReturnType<typeof groupUpdate>;

/** What allocations of older versions of a job need to become ones of the newest. Compares each pair of groups once. */
export class Updates {
  readonly #job: Job;
  readonly #known: Map<TaskGroup, Update> = new Map();

  constructor(job: Job) {
    this.#job = job;
  }

  isCurrent({ Job }: AllocationView): boolean {
    return Job.Version === this.#job.Version && Job.CreateIndex === this.#job.CreateIndex;
  }

  /** `none` only for the version as it is: an older one that asks for the same moves to it in place. */
  of(allocation: AllocationView): Update {
    if (this.isCurrent(allocation)) return "none";
    const before = groupOf(allocation.Job, allocation.TaskGroup);
    const after = groupOf(this.#job, allocation.TaskGroup);
    if (before === undefined || after === undefined) return "destructive";
    let update = this.#known.get(before);
    if (update === undefined) {
      update = groupUpdate(before, after, allocation.Job, this.#job) === "destructive" ? "destructive" : "in-place";
      this.#known.set(before, update);
    }
    return update;
  }
}
