import type { DeploymentState, TaskGroup } from "@steppe/proto";
import type { AllocationView } from "@steppe/state";
import { STOP } from "../plan/stop-reasons.ts";
import { canariesWanted } from "./canaries.ts";
import type { GroupCase } from "./case.ts";
import type { GroupChanges, Later, Stop, Wanted } from "./changes.ts";
import { desiredUpdates } from "./desired-updates.ts";
import { NameIndexes } from "./names.ts";
import { isComplete, type Pace, paceOf } from "./pace.ts";
import { dueTime, replacementOf } from "./replacement.ts";
import { beginGroup, isCanarying, isCanaryOf } from "./rollout.ts";
import { type Bucket, classify, isDown } from "./rules.ts";

/** What a group of a service or batch job is compared under. */
export interface GroupOptions extends GroupCase {
  readonly group: TaskGroup;
  /** Whether an older allocation may take the new version over where it is. */
  readonly mayStay: (allocation: AllocationView) => boolean;
}

export type Sorted = Record<Bucket, AllocationView[]>;

/** Compares a group with its allocations. Only decides: nothing is placed yet. */
export function reconcileGroup(allocations: readonly AllocationView[], options: GroupOptions): GroupChanges {
  const canaries = sort(
    allocations.filter((it) => isCanaryOf(it, options.rollout)),
    options,
  );
  const others = allocations.filter((it) => !isCanaryOf(it, options.rollout));
  const sorted = sort(others, options);
  const surplus = takeSurplus(sorted, options);
  const kept = divideKept(sorted.keep, options);
  const begun = beginning(allocations, kept, options);
  const pace = paceOf(options, sorted, begun);
  const added = [...moves(sorted, pace, options), ...additions(sorted, pace, options)];
  const replaced = kept.destructive.slice(0, Math.max(0, pace.destructiveMax - added.length));
  const held = kept.destructive.slice(replaced.length);
  const tried = canariesWanted(canaries, kept.destructive, sorted, pace, options);
  const changes = {
    group: options.group,
    stops: [...surplus.map((it) => stopOf(it, options)), ...stopsOf(sorted, options), ...stopsOf(canaries, options)],
    inPlace: kept.inPlace,
    staying: [...kept.current, ...kept.inPlace, ...held, ...canaries.keep],
    wanted: [...updatesOf(replaced, sorted, kept), ...added, ...tried],
    later: laterOf([...sorted.wait, ...canaries.wait], options),
    heldBack: held.length,
    begun,
  };
  return {
    ...changes,
    desired: desiredUpdates(changes, sorted),
    complete: isComplete(changes, [sorted, canaries], options),
  };
}

/** A group that the job does not have, or any group of a stopped one. */
export function dismissGroup(allocations: Iterable<AllocationView>, of: Omit<GroupCase, "group">): Stop[] {
  return stopsOf(sort(allocations, { ...of, group: undefined }), of);
}

/** By name, so that what the state iterates over in another order gives the same plan. */
function sort(allocations: Iterable<AllocationView>, of: GroupCase): Sorted {
  const sorted: Sorted = {
    ...{ ignore: [], done: [], spent: [], wait: [], replace: [] },
    ...{ lost: [], stop: [], migrate: [], keep: [] },
  };
  for (const allocation of allocations) sorted[classify(allocation, of)].push(allocation);
  sorted.ignore = [];
  for (const bucket of Object.values(sorted)) bucket.sort(byName);
  return sorted;
}

function stopsOf({ lost, stop, migrate }: Sorted, of: Pick<GroupCase, "view">): Stop[] {
  return [
    ...lost.map((allocation) => ({ allocation, reason: STOP.lost })),
    ...stop.map((allocation) => stopOf(allocation, of)),
    ...migrate.map((allocation) => ({ allocation, reason: STOP.migrating })),
  ];
}

/** Of one whose node is down nothing more will be heard. */
function stopOf(allocation: AllocationView, { view }: Pick<GroupCase, "view">): Stop {
  return { allocation, reason: isDown(view.nodes.get(allocation.NodeID)) ? STOP.lost : STOP.notNeeded };
}

/**
 * Removes from the buckets what is more than the count: first what would migrate, then older ones
 * whose name a promoted canary has, then the highest names.
 */
function takeSurplus(sorted: Sorted, { group, updates }: GroupOptions): AllocationView[] {
  const count = group.Count ?? 1;
  const excess = () => Math.max(0, sorted.keep.length + sorted.migrate.length - count);
  const surplus = cutEnd(sorted.migrate, excess());
  const names = new Set(sorted.keep.filter((it) => updates.isCurrent(it)).map(({ NameIndex }) => NameIndex));
  const doubled = sorted.keep.filter((it) => !updates.isCurrent(it) && names.has(it.NameIndex)).slice(0, excess());
  sorted.keep = sorted.keep.filter((it) => !doubled.includes(it));
  return [...surplus, ...doubled, ...cutEnd(sorted.keep, excess())];
}

function cutEnd(list: AllocationView[], count: number): AllocationView[] {
  return list.splice(Math.max(0, list.length - count));
}

export interface Kept {
  readonly current: AllocationView[];
  readonly inPlace: AllocationView[];
  readonly destructive: AllocationView[];
}

/** In name order, so the same ones go first in every step of an update. */
function divideKept(kept: readonly AllocationView[], { updates, mayStay }: GroupOptions): Kept {
  const current = kept.filter((it) => updates.of(it) === "none");
  const older = kept.filter((it) => updates.of(it) !== "none");
  const inPlace = older.filter((it) => updates.of(it) === "in-place" && mayStay(it));
  const inPlaceSet = new Set(inPlace);
  return { current, inPlace, destructive: older.filter((it) => !inPlaceSet.has(it)) };
}

/**
 * The group's part of a deployment that begins: where its version is new to it, or something has
 * to change. Canaries are tried only where something would be replaced.
 */
function beginning(
  allocations: readonly AllocationView[],
  { inPlace, destructive }: Kept,
  { group, rollout, updates }: GroupOptions,
): DeploymentState | undefined {
  if (!rollout.deploys || rollout.status !== "none" || (group.Count ?? 1) === 0) return undefined;
  const isNew = !allocations.some((it) => updates.isCurrent(it));
  if (!isNew && inPlace.length + destructive.length === 0) return undefined;
  return beginGroup(group, destructive.length > 0 ? (group.Update?.Canary ?? 0) : 0);
}

/** Each under its name, unless a promoted canary has it. */
function updatesOf(replaced: readonly AllocationView[], sorted: Sorted, { current }: Kept): Wanted[] {
  const names = new NameIndexes(present(sorted).map(({ NameIndex }) => NameIndex));
  const held = new Set(current.map(({ NameIndex }) => NameIndex));
  return replaced.map((allocation) => ({
    nameIndex: held.has(allocation.NameIndex) ? names.lowest() : allocation.NameIndex,
    previous: allocation,
    stop: { allocation, reason: STOP.updating },
  }));
}

/** What leaves a draining node is placed elsewhere under its name, its history of failures with it. */
function moves({ migrate }: Sorted, pace: Pace, options: GroupOptions): Wanted[] {
  return migrate.map((previous) => ({
    nameIndex: previous.NameIndex,
    previous,
    tracker: previous.RescheduleTracker,
    ...versionFor(previous, pace, options),
  }));
}

/** Up to the count: replacements of the failed, then of the lost, then whatever is missing, unless that is held back. */
function additions(sorted: Sorted, pace: Pace, options: GroupOptions): Wanted[] {
  const there = present(sorted);
  const names = new NameIndexes(there.map(({ NameIndex }) => NameIndex));
  let room = Math.max(0, (options.group.Count ?? 1) - there.length);
  const wanted: Wanted[] = [];
  for (const previous of [...sorted.replace, ...sorted.lost].slice(0, room)) {
    const replacement = replacementOf(previous, names.prefer(previous.NameIndex), options);
    wanted.push({ ...replacement, ...versionFor(previous, pace, options) });
    room -= 1;
  }
  while (!pace.held && room-- > 0) wanted.push({ nameIndex: names.lowest() });
  return wanted;
}

function present({ keep, migrate, done, spent, wait }: Sorted): AllocationView[] {
  return [keep, migrate, done, spent, wait].flat();
}

/** While canaries are tried, what takes the place of an older allocation is as old. */
function versionFor(previous: AllocationView, pace: Pace, { view, updates }: GroupOptions): Pick<Wanted, "version"> {
  if (!isCanarying(pace.state) || updates.of(previous) !== "destructive") return {};
  const { Namespace, JobID, Job } = previous;
  const version = view.jobs.get(Namespace, JobID)?.version(Job.Version);
  return version === undefined || version.CreateIndex !== Job.CreateIndex ? {} : { version };
}

/** Those that no open evaluation waits for yet. */
function laterOf(waiting: readonly AllocationView[], options: GroupOptions): Later[] {
  const { view } = options;
  return waiting
    .filter(({ FollowupEvalID }) => view.evaluations.get(FollowupEvalID)?.Status !== "pending")
    .map((allocation) => ({ allocation, at: dueTime(allocation, options) }));
}

function byName(a: AllocationView, b: AllocationView): number {
  if (a.NameIndex !== b.NameIndex) return a.NameIndex - b.NameIndex;
  return a.ID < b.ID ? -1 : Number(a.ID > b.ID);
}
