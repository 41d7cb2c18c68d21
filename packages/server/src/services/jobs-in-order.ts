import type { JobView, StateView } from "@steppe/state";
import { JOBS } from "./listings.ts";
import { compareItems } from "./paging.ts";

/**
 * All jobs of a region in the order that they are listed in. To sort ten thousand takes tens of milliseconds, the more their IDs
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
    this.#jobs = kept.length === byKey.size ? kept : merged(kept, othersOf(byKey, kept));
    return this.#jobs;
  }
}

function compare(a: JobView, b: JobView): number {
  return compareItems(a, b, JOBS.order);
}

function othersOf(byKey: ReadonlyMap<string, JobView>, known: readonly JobView[]): JobView[] {
  const all = new Set(known);
  return [...byKey.values()].filter((job) => !all.has(job)).sort(compare);
}

/** Both are in order. Compares each that came a few times, and none of those that were there with each other. */
function merged(kept: readonly JobView[], came: readonly JobView[]): JobView[] {
  const all: JobView[] = [];
  let from = 0;
  for (const job of came) {
    for (const end = placeOf(job, kept, from); from < end; from++) all.push(kept[from] as JobView);
    all.push(job);
  }
  for (; from < kept.length; from++) all.push(kept[from] as JobView);
  return all;
}

/** Of the first that comes after the job, by halves. */
function placeOf(job: JobView, among: readonly JobView[], from: number): number {
  let [low, high] = [from, among.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(among[middle] as JobView, job) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
