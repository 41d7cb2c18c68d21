import type { TaskGroup } from "@steppe/proto";
import type { AllocationView } from "@steppe/state";
import { STOP } from "../plan/stop-reasons.ts";
import type { GroupCase } from "./case.ts";
import type { GroupChanges, Later, Stop, Wanted } from "./changes.ts";
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
  const surplus = takeSurplus(sorted, count);
  const { staying, inPlace, replaced, heldBack } = divideKept(sorted.keep, options);
  const updated = replaced.map((it) => updateOf(it));
  return {
    group: options.group,
    stops: [
      ...surplus.map((allocation) => ({ allocation, reason: STOP.notNeeded })),
      ...sorted.lost.map((allocation) => ({ allocation, reason: STOP.lost })),
      ...sorted.migrate.map((allocation) => ({ allocation, reason: STOP.migrating })),
    ],
    inPlace,
    staying,
    wanted: [...updated, ...moves(sorted), ...additions(sorted, count, options)],
    later: laterOf(sorted.wait, options),
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
    ...{ lost: [], stop: [], migrate: [], keep: [] },
  };
  for (const allocation of allocations) sorted[classify(allocation, of)].push(allocation);
  sorted.ignore = [];
  for (const bucket of Object.values(sorted)) bucket.sort(byName);
  return sorted;
}

/** Removes from the buckets what is more than the count: first what would migrate, then the highest names. */
function takeSurplus(sorted: Sorted, count: number): AllocationView[] {
  const surplus: AllocationView[] = [];
  for (const bucket of [sorted.migrate, sorted.keep]) {
    const excess = sorted.keep.length + sorted.migrate.length - count;
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

/** Up to the count: replacements of the failed, then of the lost, then whatever is missing. */
function additions(sorted: Sorted, count: number, options: GroupOptions): Wanted[] {
  const present = [sorted.keep, sorted.migrate, sorted.done, sorted.spent, sorted.wait].flat();
  const names = new NameIndexes(present.map(({ NameIndex }) => NameIndex));
  let room = Math.max(0, count - present.length);
  const wanted: Wanted[] = [];
  for (const previous of [...sorted.replace, ...sorted.lost].slice(0, room)) {
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

function byName(a: AllocationView, b: AllocationView): number {
  if (a.NameIndex !== b.NameIndex) return a.NameIndex - b.NameIndex;
  return a.ID < b.ID ? -1 : Number(a.ID > b.ID);
}
