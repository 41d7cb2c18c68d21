import { SECOND } from "@steppe/model";
import type { AllocationView } from "@steppe/state";
import type { Pass } from "./pass.ts";
import { disconnectEvaluation, rescheduleEvaluation } from "./plan/evaluations.ts";
import type { Later } from "./reconcile/changes.ts";

/** Failed allocations that are due within this time of each other share an evaluation. */
const BATCH_WINDOW = 5 * SECOND;

/** One evaluation for each batch of failed allocations that are to be replaced later, at the time of its first. */
export function scheduleFollowUps(pass: Pass, later: readonly Later[]): void {
  for (const batch of batches(later)) {
    const [first] = batch as [Later];
    const evaluation = rescheduleEvaluation(pass.evaluation, pass.job, pass.context.random.id(), first.at);
    pass.draft.followUp(
      evaluation,
      batch.map(({ allocation }) => allocation),
    );
  }
}

/** One evaluation for all that are unknown until the same moment: none is given up before its time. */
export function scheduleTimeouts(pass: Pass, timeouts: readonly Later[]): void {
  const byTime = new Map<number, AllocationView[]>();
  for (const { allocation, at } of timeouts) byTime.set(at, [...(byTime.get(at) ?? []), allocation]);
  for (const [at, allocations] of byTime) {
    pass.draft.followUp(disconnectEvaluation(pass.evaluation, pass.job, pass.context.random.id(), at), allocations);
  }
}

/** Ascending; the window of a batch opens with its first. */
export function batches(later: readonly Later[]): Later[][] {
  const result: Later[][] = [];
  let opened = Number.NEGATIVE_INFINITY;
  for (const item of later.toSorted((a, b) => a.at - b.at)) {
    if (item.at - opened < BATCH_WINDOW) {
      result.at(-1)?.push(item);
    } else {
      opened = item.at;
      result.push([item]);
    }
  }
  return result;
}
