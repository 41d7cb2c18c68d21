import type { AllocationView } from "@steppe/state";

/**
 * When an allocation failed, unix nanoseconds: when its last task ended, as the node reported, or
 * when the servers heard of it. Never in the future, whatever the node's clock says.
 */
export function failureTime(allocation: AllocationView, now: number): number {
  let last = 0;
  for (const { FinishedAt } of Object.values(allocation.TaskStates)) last = Math.max(last, FinishedAt);
  return Math.min(last === 0 ? allocation.ModifyTime : last, now);
}
