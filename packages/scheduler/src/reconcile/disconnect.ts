import type { DisconnectStrategy, Node } from "@steppe/proto";
import { type AllocationView, groupOf } from "@steppe/state";
import type { Updates } from "./updates.ts";

/** What the group that an allocation was placed for says of nodes that go without a word. */
export function disconnectOf(allocation: AllocationView): DisconnectStrategy | undefined {
  return groupOf(allocation.Job, allocation.TaskGroup)?.Disconnect;
}

/** Whether another one runs in its stead while it is unknown. */
export function isReplaced(allocation: AllocationView): boolean {
  return disconnectOf(allocation)?.Replace !== false;
}

/** The group lets it run on unseen, for a time. One that never ran has nothing to come back to. */
export function maySurvive(allocation: AllocationView, node: Node | undefined): boolean {
  const allowed = (disconnectOf(allocation)?.LostAfter ?? 0) > 0 && allocation.ClientStatus === "running";
  return allowed && node?.Status === "disconnected" && allocation.UnknownSince === 0;
}

/**
 * Which of two allocations of one name goes on, now that the node of one of them is back. One that
 * runs an older version, or has never run, never wins against one that does better.
 */
export function survivor(a: AllocationView, b: AllocationView, updates: Updates): AllocationView {
  const [original, replacement] = a.CreateIndex <= b.CreateIndex ? [a, b] : [b, a];
  const [oldOriginal, oldReplacement] = [!updates.isCurrent(original), !updates.isCurrent(replacement)];
  if (oldOriginal !== oldReplacement) return oldOriginal ? replacement : original;
  switch (disconnectOf(original)?.Reconcile) {
    case "keep_original":
      return original;
    case "keep_replacement":
      return replacement;
    case "longest_running":
      return startedAt(replacement) < startedAt(original) ? replacement : original;
    default:
      return replacement.ClientStatus === "running" && replacement.Score > original.Score ? replacement : original;
  }
}

/** When its first task started, unix nanoseconds; never, for one that has not. */
function startedAt({ TaskStates }: AllocationView): number {
  const starts = Object.values(TaskStates).map(({ StartedAt }) => StartedAt);
  return Math.min(...starts.filter((at) => at > 0), Number.POSITIVE_INFINITY);
}
