import type { DisconnectStrategy, Node } from "@steppe/proto";
import { type AllocationView, groupOf } from "@steppe/state";
import type { Sorted } from "./group.ts";
import type { Updates } from "./updates.ts";

/** What the group that an allocation was placed for says of nodes that go without a word. */
export function disconnectOf(allocation: AllocationView): DisconnectStrategy | undefined {
  return groupOf(allocation.Job, allocation.TaskGroup)?.Disconnect;
}

/** Whether another one runs in its stead while it is unknown. */
export function isReplaced(allocation: AllocationView): boolean {
  return disconnectOf(allocation)?.Replace !== false;
}

export function unreplaced(allocations: readonly AllocationView[]): AllocationView[] {
  return allocations.filter((it) => !isReplaced(it));
}

/** Of those whose nodes are disconnected: those that are to have a replacement, and have none. */
export function awaitingReplacement({ disconnect, unknown }: Sorted): AllocationView[] {
  return [...disconnect, ...unknown].filter((it) => isReplaced(it) && it.NextAllocation === "");
}

/** A lost one that its node stops by itself after a time; only then is it replaced. */
export function isStoppedAtLeisure(lost: AllocationView): boolean {
  return disconnectOf(lost)?.StopOnClientAfter !== undefined;
}

/** Those that count, running or not; nothing else may have their names. */
export function present(sorted: Sorted): AllocationView[] {
  const { keep, migrate, done, spent, wait, unknown, disconnect, lost } = sorted;
  const silent = [...unreplaced(unknown), ...unreplaced(disconnect), ...lost.filter(isStoppedAtLeisure)];
  return [keep, migrate, done, spent, wait, silent].flat();
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
