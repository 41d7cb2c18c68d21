import { SECOND } from "@steppe/model";
import type { Pass } from "./pass.ts";
import { rescheduleEvaluation } from "./plan/evaluations.ts";
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
