import type { AllocMetric } from "@steppe/proto";
import { type AllocationView, askOf } from "@steppe/state";
import type { Claimant } from "../claims/claimant.ts";
import { scheduleTimeouts } from "../follow-ups.ts";
import type { Pass } from "../pass.ts";
import type { Rows } from "../plan/rows.ts";
import { STOP, type StopReason } from "../plan/stop-reasons.ts";
import { Ground } from "../preempt/ground.ts";
import { preemptionScore } from "../preempt/preemption-score.ts";
import { BinPack } from "../rank/bin-pack.ts";
import { disconnectOf } from "./disconnect.ts";
import { rollOut } from "./roll-out.ts";
import { JobRollout } from "./rollout.ts";
import { isRunnable } from "./runnable.ts";
import { GroupOnNodes } from "./system-rollout.ts";
import { classifySystem, type SystemBucket } from "./system-rules.ts";
import { Updates } from "./updates.ts";

/** System and sysbatch jobs: each group once on every node that suits it. */
export function scheduleSystem(pass: Pass): void {
  const groups = isRunnable(pass.job) ? pass.job.TaskGroups : [];
  const rollout = new JobRollout(pass);
  const compared = new Map(groups.map((group) => [group.Name, new GroupOnNodes(group, rollout.of(group))]));
  const updates = new Updates(pass.job);
  for (const allocation of [...pass.jobView.allocations].sort(byId)) {
    compare(pass, allocation, compared.get(allocation.TaskGroup), updates);
  }
  for (const on of compared.values()) roll(pass, on);
  for (const { group, served } of compared.values()) {
    const rules = pass.distinct.of(group.Name);
    for (const slot of served) rules.add(slot);
  }
  for (const group of compared.values()) place(pass, group);
  rollOut(pass, rollout, [...compared.values()]);
}

function roll(pass: Pass, on: GroupOnNodes): void {
  on.settle(pass.candidates(on.group).slots.length);
  const { Name } = on.group;
  count(pass, Name, "Canary", on.canaries.size);
  count(pass, Name, "DestructiveUpdate", on.replaced.size - on.canaries.size);
  count(pass, Name, "Ignore", on.outdated.size - on.replaced.size);
}

const STOPPED: Readonly<Partial<Record<SystemBucket, StopReason>>> = {
  lost: STOP.lost,
  drain: STOP.nodeTainted,
  stop: STOP.notNeeded,
};

function compare(pass: Pass, allocation: AllocationView, on: GroupOnNodes | undefined, updates: Updates): void {
  const { evaluation, job, view } = pass;
  const node = view.nodes.get(allocation.NodeID);
  const belongs = on !== undefined && pass.isFeasible(on.group, allocation.NodeID);
  const { now } = pass.context;
  const bucket = classifySystem({ allocation, evaluation, job, node, updates, now, belongs });
  const reason = STOPPED[bucket];
  if (reason !== undefined) {
    pass.draft.stop(allocation, reason);
    count(pass, allocation.TaskGroup, reason === STOP.nodeTainted ? "Migrate" : "Stop");
    return;
  }
  if (bucket === "ignore" || on === undefined) return;
  on.hasCurrent ||= updates.isCurrent(allocation);
  if (bucket === "settled" && on.isPart(allocation)) on.hasFailed ||= allocation.ClientStatus === "failed";
  if (bucket !== "settled" && on.isPart(allocation)) on.part.push(allocation);
  if (bucket === "disconnect") disconnect(pass, allocation);
  if (bucket === "reconnect") pass.draft.reconnect(allocation);
  keep(pass, allocation, on, updates, bucket === "keep" || bucket === "reconnect");
}

/** It is given up when the node stays away for longer than the group allows. */
function disconnect(pass: Pass, allocation: AllocationView): void {
  pass.draft.disconnect(allocation);
  scheduleTimeouts(pass, [{ allocation, at: pass.context.now + (disconnectOf(allocation)?.LostAfter ?? 0) }]);
}

function count(
  pass: Pass,
  group: string,
  kind: "Ignore" | "Place" | "Migrate" | "Stop" | "InPlaceUpdate" | "DestructiveUpdate" | "Canary",
  by = 1,
): void {
  pass.draft.updatesOf(group)[kind] += by;
}

function keep(pass: Pass, allocation: AllocationView, on: GroupOnNodes, updates: Updates, runs: boolean): void {
  const slot = pass.view.nodes.slot(allocation.NodeID);
  const update = runs ? updates.of(allocation) : "none";
  if (update === "destructive" && pass.view.nodes.usable[slot] === 1) {
    on.outdated.set(slot, allocation);
    return;
  }
  if (update === "in-place") {
    pass.draft.updateInPlace(allocation);
    on.inPlace += 1;
  }
  count(pass, allocation.TaskGroup, update === "in-place" ? "InPlaceUpdate" : "Ignore");
  on.served.add(slot);
}

function place(pass: Pass, on: GroupOnNodes): void {
  const { group } = on;
  const candidates = pass.candidates(group);
  const rules = pass.distinct.of(group.Name);
  const ask = askOf(group);
  const claimant = pass.claimant(group);
  const open = candidates.slots.filter((slot) => !on.served.has(slot) && (on.replaced.has(slot) || rules.allows(slot)));
  on.open = open.length;
  if (open.length === 0) return;
  const rows = pass.draft.rows(group);
  const stopwatch = pass.stopwatch();
  const explain = (): AllocMetric => ({
    ...candidates.metric(ask, pass.room, rules, claimant),
    AllocationTime: stopwatch(),
  });
  rows.explain(explain());
  const unplaced = open.filter((slot) => !placeOn(pass, on, rows, slot, claimant));
  const fresh = rows.length + unplaced.length - on.replaced.size;
  if (fresh > 0) count(pass, group.Name, "Place", fresh);
  if (unplaced.length === 0) return;
  candidates.restrict(unplaced);
  pass.draft.fallShort(group.Name, unplaced.length, explain(), pass.verdicts(group));
}

/**
 * One allocation on one node, in the stead of the one that runs there. False when there is no
 * room; then the older one runs on. A node that a distinct_* rule forbids needs none at all.
 */
function placeOn(pass: Pass, on: GroupOnNodes, rows: Rows, slot: number, claimant: Claimant): boolean {
  const ask = askOf(on.group);
  const rules = pass.distinct.of(on.group.Name);
  const before = on.replaced.get(slot);
  if (before !== undefined) {
    pass.room.free(slot, before.Ask);
    claimant.free(slot, before.Claims);
  }
  if (!rules.allows(slot)) {
    if (before !== undefined) pass.draft.stop(before, STOP.notNeeded);
    return true;
  }
  const ground = new Ground(pass.room, ask, claimant);
  const victims = ground.fits(slot) ? [] : pass.evictions?.victims(slot, ground);
  if (victims === undefined) {
    if (before === undefined) return false;
    pass.room.take(slot, before.Ask);
    claimant.restore(slot, before.Claims);
    rules.add(slot);
    return false;
  }
  pass.evictions?.evict(slot, victims);
  const packing = new BinPack(pass.room, ask, pass.algorithm).score(slot);
  const score = victims.length === 0 ? packing : (packing + preemptionScore(victims)) / 2;
  pass.room.take(slot, ask);
  rules.add(slot);
  if (before !== undefined) pass.draft.stop(before, STOP.updating);
  const canary = on.canaries.has(slot);
  rows.add(0, slot, score, { previousId: before?.ID, canary, victims, claims: claimant.take(slot) });
  return true;
}

const byId = (a: AllocationView, b: AllocationView): number => (a.ID < b.ID ? -1 : Number(a.ID > b.ID));
