import type { DeploymentState, TaskGroup } from "@steppe/proto";
import { type AllocationView, groupOf } from "@steppe/state";
import { STOP } from "../plan/stop-reasons.ts";
import { canariesWanted } from "./canaries.ts";
import type { GroupCase } from "./case.ts";
import type { GroupChanges, Later, Stop, Wanted } from "./changes.ts";
import { desiredUpdates } from "./desired-updates.ts";
import { awaitingReplacement, disconnectOf, isStoppedAtLeisure, present, survivor, unreplaced } from "./disconnect.ts";
import { firstPlacements } from "./first-placements.ts";
import { NameIndexes } from "./names.ts";
import { isComplete, type Pace, paceOf } from "./pace.ts";
import { dueTime, replacementOf } from "./replacement.ts";
import { beginGroup, isCanarying, isCanaryOf } from "./rollout.ts";
import { type Bucket, classify, isGone } from "./rules.ts";

/** What a group of a service or batch job is compared under. */
export interface GroupOptions extends GroupCase {
  readonly group: TaskGroup;
  /** Whether an older allocation may take the new version over where it is. */
  readonly mayStay: (allocation: AllocationView) => boolean;
}

export type Sorted = Record<Bucket, AllocationView[]>;

/** Compares a group with its allocations. Only decides: nothing is placed yet. */
export function reconcileGroup(allocations: readonly AllocationView[], given: GroupOptions): GroupChanges {
  return (allocations.length === 0 ? firstPlacements(given) : undefined) ?? compareGroup(allocations, given);
}

/** The same for any allocations. */
export function compareGroup(allocations: readonly AllocationView[], given: GroupOptions): GroupChanges {
  const options = given.rollout.pending ? standing(given) : given;
  const canaries = sort(
    allocations.filter((it) => isCanaryOf(it, options.rollout)),
    options,
  );
  const others = allocations.filter((it) => !isCanaryOf(it, options.rollout));
  const sorted = sort(others, options);
  const both = [sorted, canaries];
  const reunions = both.map((it) => reunite(it, options));
  const surplus = takeSurplus(sorted, options);
  const divided = divideKept(sorted.keep, options);
  const begun = beginning(allocations, divided, given);
  const kept = options.rollout.pending ? holdAll(divided) : divided;
  const pace = paceOf(options, sorted, begun);
  const added = [...moves(sorted, pace, options), ...additions(sorted, pace, options)];
  const replaced = kept.destructive.slice(0, Math.max(0, pace.destructiveMax - added.length));
  const held = kept.destructive.slice(replaced.length);
  const staying = [...kept.current, ...kept.inPlace, ...held, ...canaries.keep];
  const stay = new Set(staying);
  const changes = {
    group: options.group,
    stops: [
      ...reunions.flatMap(({ stops }) => stops),
      ...surplus.map((it) => stopOf(it, options)),
      ...both.flatMap((it) => stopsOf(it, options)),
    ],
    inPlace: kept.inPlace,
    staying,
    wanted: [
      ...updatesOf(replaced, sorted, kept),
      ...added,
      ...canariesWanted(canaries, kept.destructive, sorted, pace, options),
    ],
    later: both.flatMap((it) => laterOf(it, options)),
    disconnects: both.flatMap(({ disconnect }) => disconnect),
    timeouts: both.flatMap((it) => timeoutsOf(it, options)),
    reconnects: reunions.flatMap(({ back }) => back).filter((it) => stay.has(it)),
    heldBack: held.length,
    begun,
  };
  return {
    ...changes,
    desired: desiredUpdates(changes, both),
    complete: isComplete(changes, both, options),
  };
}

/** Where other regions come first, it is as in a deployment that is paused, also before there is one. */
export function standing(options: GroupOptions): GroupOptions {
  return { ...options, rollout: { ...options.rollout, status: "paused" } };
}

/** Nothing takes the new version over before its time, not even where it is. */
function holdAll({ current, inPlace, destructive }: Kept): Kept {
  return { current, inPlace: [], destructive: [...destructive, ...inPlace] };
}

/** A group that the job does not have, or any group of a stopped one. */
export function dismissGroup(allocations: Iterable<AllocationView>, of: Omit<GroupCase, "group">): Stop[] {
  return stopsOf(sort(allocations, { ...of, group: undefined }), of);
}

/** By name, so that what the state iterates over in another order gives the same plan. */
function sort(allocations: Iterable<AllocationView>, of: GroupCase): Sorted {
  const sorted: Sorted = {
    ...{ ignore: [], done: [], spent: [], wait: [], replace: [] },
    ...{ lost: [], stop: [], disconnect: [], unknown: [], reconnect: [], migrate: [], keep: [] },
  };
  for (const allocation of allocations) sorted[classify(allocation, of)].push(allocation);
  sorted.ignore = [];
  for (const bucket of Object.values(sorted)) bucket.sort(byName);
  return sorted;
}

interface Reunion {
  readonly stops: Stop[];
  /** Put among those to keep. */
  readonly back: AllocationView[];
}

/** What is back meets what was placed in its stead: of each name one goes on. */
function reunite(sorted: Sorted, { updates }: GroupOptions): Reunion {
  const finished = new Set(sorted.done.map(({ NameIndex }) => NameIndex));
  // What ended well while it was unknown leaves its replacement nothing to do.
  const needless = sorted.keep.filter(({ NameIndex }) => finished.has(NameIndex));
  sorted.keep = sorted.keep.filter(({ NameIndex }) => !finished.has(NameIndex));
  const stops: Stop[] = needless.map((allocation) => ({ allocation, reason: STOP.reconnected }));
  const back: AllocationView[] = [];
  for (const returned of sorted.reconnect) {
    const rival = [...sorted.keep, ...sorted.migrate].find(({ NameIndex }) => NameIndex === returned.NameIndex);
    const isDone = finished.has(returned.NameIndex);
    const goesOn = !isDone && (rival === undefined || survivor(returned, rival, updates) === returned);
    const stopped = goesOn ? rival : returned;
    if (stopped !== undefined) stops.push({ allocation: stopped, reason: STOP.reconnected });
    if (!goesOn) continue;
    sorted.keep = sorted.keep.filter((it) => it !== rival);
    sorted.migrate = sorted.migrate.filter((it) => it !== rival);
    sorted[returned.Migrate ? "migrate" : "keep"].push(returned);
    back.push(returned);
  }
  sorted.keep.sort(byName);
  sorted.migrate.sort(byName);
  return { stops, back };
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
  return { allocation, reason: isGone(view.nodes.get(allocation.NodeID)) ? STOP.lost : STOP.notNeeded };
}

/**
 * Removes from the buckets what is more than the count: first what would migrate, then what is
 * unknown, then older ones whose name a promoted canary has, then the highest names.
 */
function takeSurplus(sorted: Sorted, { group, updates }: GroupOptions): AllocationView[] {
  const away = unreplaced(sorted.unknown);
  const count = (group.Count ?? 1) - unreplaced(sorted.disconnect).length;
  const excess = () => Math.max(0, sorted.keep.length + sorted.migrate.length + away.length - count);
  const surplus = [...cutEnd(sorted.migrate, excess()), ...cutEnd(away, excess())];
  sorted.unknown = sorted.unknown.filter((it) => !surplus.includes(it));
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
export function beginning(
  allocations: readonly AllocationView[],
  { inPlace, destructive }: Pick<Kept, "inPlace" | "destructive">,
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

/**
 * Up to the count: replacements of the failed, then of the lost and the unknown, then whatever is
 * missing, unless that is held back.
 */
function additions(sorted: Sorted, pace: Pace, options: GroupOptions): Wanted[] {
  const there = present(sorted);
  const names = new NameIndexes(there.map(({ NameIndex }) => NameIndex));
  const lost = sorted.lost.filter((it) => !isStoppedAtLeisure(it));
  let room = Math.max(0, (options.group.Count ?? 1) - there.length);
  const wanted: Wanted[] = [];
  for (const previous of [...sorted.replace, ...lost, ...awaitingReplacement(sorted)].slice(0, room)) {
    const replacement = replacementOf(previous, names.prefer(previous.NameIndex), options);
    wanted.push({ ...replacement, ...versionFor(previous, pace, options) });
    room -= 1;
  }
  while (!pace.held && room-- > 0) wanted.push({ nameIndex: names.lowest() });
  return wanted;
}

/** While canaries are tried, or other regions come first, what takes the place of an older allocation is as old. */
function versionFor(
  previous: AllocationView,
  pace: Pace,
  { view, updates, rollout }: GroupOptions,
): Pick<Wanted, "version"> {
  const update = updates.of(previous);
  if (rollout.pending ? update === "none" : !isCanarying(pace.state) || update !== "destructive") return {};
  const { Namespace, JobID, Job } = previous;
  const version = view.jobs.get(Namespace, JobID)?.version(Job.Version);
  return version === undefined || version.CreateIndex !== Job.CreateIndex ? {} : { version };
}

/** Those that no open evaluation waits for yet. */
function laterOf({ wait, lost }: Sorted, options: GroupOptions): Later[] {
  const { view } = options;
  const unwatched = wait.filter(({ FollowupEvalID }) => view.evaluations.get(FollowupEvalID)?.Status !== "pending");
  return [
    ...unwatched.map((allocation) => ({ allocation, at: dueTime(allocation, options) })),
    ...lost.filter(isStoppedAtLeisure).map((allocation) => stoppedLater(allocation, options)),
  ];
}

/** The node stops it after being cut off for so long, and stopping takes its time. */
function stoppedLater(allocation: AllocationView, { now }: GroupOptions): Later {
  const timeouts =
    groupOf(allocation.Job, allocation.TaskGroup)?.Tasks.map(({ KillTimeout }) => KillTimeout ?? 0) ?? [];
  const stopAfter = disconnectOf(allocation)?.StopOnClientAfter ?? 0;
  return { allocation, at: now + stopAfter + Math.max(0, ...timeouts) };
}

/** When to give up what is unknown, for those that no open evaluation waits for yet. */
function timeoutsOf({ disconnect, unknown }: Sorted, { view, now }: GroupOptions): Later[] {
  const unwatched = unknown.filter(
    ({ ClientStatus, FollowupEvalID }) =>
      ClientStatus === "unknown" && view.evaluations.get(FollowupEvalID)?.Status !== "pending",
  );
  const after = (allocation: AllocationView, since: number): Later => ({
    allocation,
    at: since + (disconnectOf(allocation)?.LostAfter ?? 0),
  });
  return [...disconnect.map((it) => after(it, now)), ...unwatched.map((it) => after(it, it.UnknownSince))];
}

function byName(a: AllocationView, b: AllocationView): number {
  if (a.NameIndex !== b.NameIndex) return a.NameIndex - b.NameIndex;
  return a.ID < b.ID ? -1 : Number(a.ID > b.ID);
}
