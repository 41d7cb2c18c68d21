import type { TaskGroup } from "@steppe/proto";
import { type AllocationView, groupOf } from "@steppe/state";
import { STOP } from "../plan/stop-reasons.ts";
import type { GroupCase } from "./case.ts";
import type { GroupChanges, Later, Stop, Wanted } from "./changes.ts";
import { disconnectOf, isReplaced, survivor } from "./disconnect.ts";
import { NameIndexes } from "./names.ts";
import { dueTime, replacementOf } from "./replacement.ts";
import { type Bucket, classify } from "./rules.ts";

/** What a group of a service or batch job is compared under. */
export interface GroupOptions extends GroupCase {
  readonly group: TaskGroup;
  /** Whether an older allocation may take the new version over where it is. */
  readonly mayStay: (allocation: AllocationView) => boolean;
  /** How many running allocations may be replaced for an update in this pass. */
  readonly destructiveMax: number;
}

type Sorted = Record<Bucket, AllocationView[]>;

/** Compares a group with its allocations. Only decides: nothing is placed yet. */
export function reconcileGroup(allocations: Iterable<AllocationView>, options: GroupOptions): GroupChanges {
  const sorted = sort(allocations, options);
  const count = options.group.Count ?? 1;
  const reunion = reunite(sorted, options);
  // Those that nothing replaces are present, as far as the count goes.
  const held = sorted.unknown.filter((it) => !isReplaced(it));
  const gone = sorted.disconnect.filter((it) => !isReplaced(it));
  const surplus = takeSurplus(sorted, held, count - gone.length);
  const { staying, inPlace, replaced, heldBack } = divideKept(sorted.keep, options);
  const updated = replaced.map((it) => updateOf(it));
  const atLeisure = sorted.lost.filter((it) => disconnectOf(it)?.StopOnClientAfter !== undefined);
  const present = [sorted.keep, sorted.migrate, sorted.done, sorted.spent, sorted.wait, held, gone, atLeisure].flat();
  const stay = new Set(staying);
  return {
    group: options.group,
    stops: [
      ...reunion.stops,
      ...surplus.map((allocation) => ({ allocation, reason: STOP.notNeeded })),
      ...sorted.lost.map((allocation) => ({ allocation, reason: STOP.lost })),
      ...sorted.migrate.map((allocation) => ({ allocation, reason: STOP.migrating })),
    ],
    inPlace,
    staying,
    wanted: [...updated, ...moves(sorted), ...additions(sorted, present, count, options)],
    later: [...laterOf(sorted.wait, options), ...atLeisure.map((allocation) => stoppedLater(allocation, options))],
    disconnects: sorted.disconnect,
    timeouts: timeoutsOf(sorted, options),
    reconnects: reunion.back.filter((it) => stay.has(it)),
    settled: present.length - sorted.keep.length - sorted.migrate.length,
    heldBack,
  };
}

/** A group that the job does not have, or any group of a stopped one. */
export function dismissGroup(allocations: Iterable<AllocationView>, of: Omit<GroupCase, "group">): Stop[] {
  const { lost, stop } = sort(allocations, { ...of, group: undefined });
  return [
    ...lost.map((allocation) => ({ allocation, reason: STOP.lost })),
    ...stop.map((allocation) => ({ allocation, reason: STOP.notNeeded })),
  ];
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

/** Removes from the buckets what is more than the count: first what would migrate, then the highest names. */
function takeSurplus(sorted: Sorted, held: AllocationView[], count: number): AllocationView[] {
  const surplus: AllocationView[] = [];
  for (const bucket of [sorted.migrate, held, sorted.keep]) {
    const excess = sorted.keep.length + sorted.migrate.length + held.length - count;
    if (excess > 0) surplus.push(...bucket.splice(Math.max(0, bucket.length - excess)));
  }
  return surplus;
}

interface Kept {
  readonly staying: AllocationView[];
  readonly inPlace: AllocationView[];
  readonly replaced: AllocationView[];
  readonly heldBack: number;
}

/** In name order, so the same ones go first in every step of a rolling update. */
function divideKept(kept: readonly AllocationView[], { updates, mayStay, destructiveMax }: GroupOptions): Kept {
  const current = kept.filter((it) => updates.of(it) === "none");
  const older = kept.filter((it) => updates.of(it) !== "none");
  const inPlace = older.filter((it) => updates.of(it) === "in-place" && mayStay(it));
  const inPlaceSet = new Set(inPlace);
  const destructive = older.filter((it) => !inPlaceSet.has(it));
  const replaced = destructive.slice(0, destructiveMax);
  const held = destructive.slice(destructiveMax);
  return { staying: [...current, ...inPlace, ...held], inPlace, replaced, heldBack: held.length };
}

function updateOf(allocation: AllocationView): Wanted {
  return {
    nameIndex: allocation.NameIndex,
    previous: allocation,
    stop: { allocation, reason: STOP.updating },
  };
}

/** What leaves a draining node is placed elsewhere under its name, its history of failures with it. */
function moves({ migrate }: Sorted): Wanted[] {
  return migrate.map((previous) => ({
    nameIndex: previous.NameIndex,
    previous,
    tracker: previous.RescheduleTracker,
  }));
}

/** Up to the count: replacements of the failed, then of the lost and the unknown, then whatever is missing. */
function additions(sorted: Sorted, present: readonly AllocationView[], count: number, options: GroupOptions): Wanted[] {
  const names = new NameIndexes(present.map(({ NameIndex }) => NameIndex));
  const counted = new Set(present);
  const away = [...sorted.disconnect, ...sorted.unknown].filter((it) => isReplaced(it) && it.NextAllocation === "");
  const missed = [...sorted.replace, ...sorted.lost.filter((it) => !counted.has(it)), ...away];
  let room = Math.max(0, count - present.length);
  const wanted: Wanted[] = [];
  for (const previous of missed.slice(0, room)) {
    wanted.push(replacementOf(previous, names.prefer(previous.NameIndex), options));
    room -= 1;
  }
  while (room-- > 0) wanted.push({ nameIndex: names.lowest() });
  return wanted;
}

/** Those that no open evaluation waits for yet. */
function laterOf(waiting: readonly AllocationView[], options: GroupOptions): Later[] {
  const { view } = options;
  return waiting
    .filter(({ FollowupEvalID }) => view.evaluations.get(FollowupEvalID)?.Status !== "pending")
    .map((allocation) => ({ allocation, at: dueTime(allocation, options) }));
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
