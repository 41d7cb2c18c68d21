import type { TaskGroup } from "@steppe/proto";
import type { AllocationView } from "@steppe/state";
import type { DistinctRules } from "../feasible/distinct.ts";
import { scheduleFollowUps, scheduleTimeouts } from "../follow-ups.ts";
import type { Pass } from "../pass.ts";
import { placeGroups } from "../place-group.ts";
import { type GroupChanges, replacedBy } from "./changes.ts";
import { onlyStops } from "./desired-updates.ts";
import { dismissGroup, reconcileGroup } from "./group.ts";
import { rollOut } from "./roll-out.ts";
import { JobRollout, NO_ROLLOUT } from "./rollout.ts";
import { isRunnable } from "./runnable.ts";
import { Updates } from "./updates.ts";

/** Service and batch jobs: each group has its count of allocations, wherever they fit best. */
export function scheduleService(pass: Pass): void {
  const allocations = byGroup(pass.jobView.allocations);
  const groups = isRunnable(pass.job) ? pass.job.TaskGroups : [];
  const rollout = new JobRollout(pass);
  const changes = groups.map((group) => reconcile(pass, group, rollout, allocations.get(group.Name) ?? []));
  for (const { Name } of groups) allocations.delete(Name);
  for (const [name, dismissed] of allocations) dismiss(pass, name, dismissed);
  rollOut(pass, rollout, changes);
  // Only now, that all stops are known, is it known what is free.
  for (const change of changes) occupy(pass, change);
  placeGroups(pass, changes);
  scheduleFollowUps(
    pass,
    changes.flatMap(({ later }) => later),
  );
  scheduleTimeouts(
    pass,
    changes.flatMap(({ timeouts }) => timeouts),
  );
}

/** Decides for one group, and drafts what of it needs no place. */
function reconcile(
  pass: Pass,
  group: TaskGroup,
  rollout: JobRollout,
  allocations: readonly AllocationView[],
): GroupChanges {
  const updates = new Updates(pass.job);
  const changes = reconcileGroup(allocations, {
    view: pass.view,
    evaluation: pass.evaluation,
    job: pass.job,
    group,
    updates,
    rollout: rollout.of(group),
    now: pass.context.now,
    mayStay: mayStay(pass, group, allocations, updates),
  });
  for (const { allocation, reason } of changes.stops) pass.draft.stop(allocation, reason);
  for (const allocation of changes.inPlace) pass.draft.updateInPlace(allocation);
  for (const allocation of changes.disconnects) pass.draft.disconnect(allocation);
  for (const allocation of changes.reconnects) pass.draft.reconnect(allocation);
  pass.draft.annotate(group.Name, changes.desired);
  return changes;
}

function dismiss(pass: Pass, name: string, allocations: readonly AllocationView[]): void {
  const { view, evaluation, job, context } = pass;
  const shared = { view, evaluation, job, now: context.now, rollout: NO_ROLLOUT };
  const stops = dismissGroup(allocations, { ...shared, updates: new Updates(job) });
  for (const { allocation, reason } of stops) pass.draft.stop(allocation, reason);
  if (stops.length > 0) pass.draft.annotate(name, onlyStops(stops));
}

/**
 * An older allocation may take the new version over where it is, if that may run there. Among
 * themselves and with those that run the new version already, they keep the distinct_* rules.
 */
function mayStay(
  pass: Pass,
  group: TaskGroup,
  allocations: readonly AllocationView[],
  updates: Updates,
): (allocation: AllocationView) => boolean {
  const slotOf = ({ NodeID }: AllocationView) => pass.view.nodes.slot(NodeID);
  let rules: DistinctRules | undefined;
  const current = () => {
    const counted = pass.distinct.fork(group.Name);
    if (counted.isEmpty) return counted;
    for (const it of allocations) if (!it.terminal && updates.isCurrent(it)) counted.add(slotOf(it));
    return counted;
  };
  return (allocation) => {
    rules ??= current();
    if (!pass.isFeasible(group, allocation.NodeID) || !rules.allows(slotOf(allocation))) return false;
    rules.add(slotOf(allocation));
    return true;
  };
}

/** What runs on counts for the distinct_* rules of all groups before any of them is placed. */
function occupy(pass: Pass, { group, staying, wanted }: GroupChanges): void {
  const rules = pass.distinct.of(group.Name);
  if (rules.isEmpty) return;
  for (const { NodeID } of [...staying, ...replacedBy(wanted)]) rules.add(pass.view.nodes.slot(NodeID));
}

function byGroup(allocations: ReadonlySet<AllocationView>): Map<string, AllocationView[]> {
  const groups = new Map<string, AllocationView[]>();
  for (const allocation of allocations) {
    const group = groups.get(allocation.TaskGroup);
    if (group === undefined) groups.set(allocation.TaskGroup, [allocation]);
    else group.push(allocation);
  }
  return groups;
}
