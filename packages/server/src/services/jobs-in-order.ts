import type { JobView, StateView } from "@steppe/state";
import { JOBS } from "./listings.ts";
import { compareItems } from "./paging.ts";

/**
 * All jobs of a region in the order that they are listed in. To sort ten thousand takes 15 to 45 ms, by what their IDs
 * have in common; so the order is kept from one list to the next, where few came in between.
 */
export class JobsInOrder {
  #of: StateView["jobs"]["byKey"] | undefined = undefined;
  #changedAt = 0;
  #jobs: readonly JobView[] = [];

  of({ jobs: { byKey }, indexes }: StateView): readonly JobView[] {
    const changedAt = Math.max(indexes.changedAt("jobs"), indexes.deletedAt("jobs"));
    if (this.#of === byKey && this.#changedAt === changedAt) return this.#jobs;
    this.#of = byKey;
    this.#changedAt = changedAt;
    const kept = this.#jobs.filter((job) => byKey.get(job.key) === job);
    if (kept.length < byKey.size) {
      const known = new Set(kept);
      for (const job of byKey.values()) if (!known.has(job)) kept.push(job);
      // What is in order already costs one comparison each.
      kept.sort((a, b) => compareItems(a, b, JOBS.order));
    }
    this.#jobs = kept;
    return kept;
  }
}
