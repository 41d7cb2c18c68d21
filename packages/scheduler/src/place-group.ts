import type { AllocMetric, Job } from "@steppe/proto";
import { askOf, groupOf } from "@steppe/state";
import type { Candidates } from "./candidates.ts";
import { PerAllocVolumes, perAllocOf } from "./feasible/per-alloc-volumes.ts";
import type { Pass } from "./pass.ts";
import { GroupPlacer } from "./place.ts";
import type { Rows } from "./plan/rows.ts";
import { NONE } from "./rank/reschedule-penalty.ts";
import { bringsRoom, type GroupChanges, replacedBy, type Wanted } from "./reconcile/changes.ts";

/**
 * Groups that are placed side by side, at most: each keeps columns over all nodes meanwhile. With
 * 10,000 nodes that is about 10 MB.
 */
const SIDE_BY_SIDE_MAX = 32;

/**
 * Places what the groups want, and says what found no place. Groups take turns, so that nodes
 * fill with a mix: a group alone would fill nodes up with its own kind, and what it asks little
 * of would be left over on each. Older versions, if any are wanted, come last.
 */
export function placeGroups(pass: Pass, changes: readonly GroupChanges[]): void {
  const versions = changes.flatMap(versionsOf);
  const current = versions.filter(({ version }) => version === undefined);
  for (let from = 0; from < current.length; from += SIDE_BY_SIDE_MAX) {
    const turns = current.slice(from, from + SIDE_BY_SIDE_MAX).map((it) => new GroupTurns(pass, it));
    takeTurns(turns);
    for (const it of turns) it.finish();
  }
  for (const older of versions.filter(({ version }) => version !== undefined)) {
    const turns = new GroupTurns(pass, older);
    takeTurns([turns]);
    turns.finish();
  }
}

/** What a group wants of one version of its job; undefined for the job as it is. */
interface VersionOfGroup extends Pick<GroupChanges, "group" | "wanted" | "staying"> {
  readonly version: Job | undefined;
}

/** Newest first. */
function versionsOf({ group, wanted, staying }: GroupChanges): VersionOfGroup[] {
  if (wanted.length === 0) return [];
  if (wanted.every((it) => it.version === undefined)) return [{ group, version: undefined, wanted, staying }];
  const versions = new Set(wanted.map(({ version }) => version));
  const ordered = [...versions].sort((a, b) => (b?.Version ?? Infinity) - (a?.Version ?? Infinity));
  return ordered.flatMap((version) => {
    const own = version === undefined ? group : groupOf(version, group.Name);
    return own === undefined
      ? []
      : [{ group: own, version, wanted: wanted.filter((it) => it.version === version), staying }];
  });
}

/** The group that is furthest behind goes next; of those alike, the first. */
function takeTurns(turns: readonly GroupTurns[]): void {
  for (;;) {
    let next = turns[0] as GroupTurns;
    for (let i = 1; i < turns.length; i++) {
      const other = turns[i] as GroupTurns;
      if (other.left > next.left) next = other;
    }
    if (next.left === 0) return;
    next.step();
  }
}

/** One group's way through what it wants. */
class GroupTurns {
  readonly #pass: Pass;
  readonly #of: VersionOfGroup;
  readonly #placer: GroupPlacer;
  readonly #rows: Rows;
  readonly #volumes: PerAllocVolumes | undefined;
  readonly #stopwatch: () => number;
  /** There is no node at all that it could be placed on: what explains one failure explains each. */
  readonly #hopeless: AllocMetric | undefined;
  #done = 0;
  #waiting = 0;
  #full = false;

  constructor(pass: Pass, of: VersionOfGroup) {
    this.#pass = pass;
    this.#of = of;
    this.#stopwatch = pass.stopwatch();
    const candidates = pass.candidates(of.group, of.version);
    this.#volumes =
      perAllocOf(of.group).length === 0 ? undefined : new PerAllocVolumes(of.group, candidates.slots, pass.view.nodes);
    this.#placer = createPlacer(pass, of, candidates, this.#volumes);
    this.#rows = pass.draft.rows(of.group, of.version);
    const metric = this.#explain();
    this.#rows.explain(metric);
    this.#hopeless = candidates.slots.length === 0 ? metric : undefined;
  }

  /** The share still to be tried. */
  get left(): number {
    return 1 - this.#done / this.#of.wanted.length;
  }

  step(): void {
    const it = this.#of.wanted[this.#done++] as Wanted;
    // Once there is no place, there is none for the next either, unless it brings its own.
    const slot =
      this.#full && !bringsRoom(it) ? NOWHERE : place(this.#pass, this.#placer, this.#rows, it, this.#volumes);
    const placed = slot !== NOWHERE;
    if (placed) this.#pass.placed(this.#of.group.Name, slot, this.#of.version);
    // Where each has volumes of its own, the next one may find its.
    this.#full ||= !placed && !bringsRoom(it) && this.#volumes === undefined;
    if (!placed) this.#waiting += 1;
  }

  finish(): void {
    const { group, version } = this.#of;
    if (this.#waiting === 0) return;
    const metric = this.#hopeless ?? this.#explain();
    this.#pass.draft.fallShort(group.Name, this.#waiting, metric, this.#pass.verdicts(group, version));
  }

  #explain(): AllocMetric {
    return { ...this.#placer.metric(), AllocationTime: this.#stopwatch() };
  }
}

function createPlacer(
  pass: Pass,
  { group, version, wanted, staying }: VersionOfGroup,
  candidates: Candidates,
  volumes: PerAllocVolumes | undefined,
): GroupPlacer {
  // Those to be replaced occupy their place until they are.
  const slots = [...staying, ...replacedBy(wanted)].map(({ NodeID }) => pass.view.nodes.slot(NodeID));
  const occupied = slots.filter((slot) => slot >= 0);
  const distinct = version === undefined ? pass.distinct.of(group.Name) : pass.distinctOf(version).of(group.Name);
  const rules = volumes === undefined ? distinct : distinct.and(volumes);
  return new GroupPlacer(
    {
      count: group.Count ?? 1,
      ask: askOf(group),
      occupied,
      rules,
      claimant: pass.claimant(group),
      algorithm: pass.algorithm,
      affinity: pass.affinity(group, version),
      spreads: pass.spreads(group, version),
      evictions: pass.evictions,
    },
    candidates,
    pass.surroundings,
  );
}

const NOWHERE = -1;

/** The slot that was found. */
function place(
  pass: Pass,
  placer: GroupPlacer,
  rows: Rows,
  wanted: Wanted,
  volumes: PerAllocVolumes | undefined,
): number {
  const { nameIndex, previous, tracker, stop, canary } = wanted;
  const before = bringsRoom(wanted) ? stop?.allocation : undefined;
  const slot = before === undefined ? -1 : pass.view.nodes.slot(before.NodeID);
  if (before !== undefined) placer.release(slot, before);
  if (volumes !== undefined) volumes.nameIndex = nameIndex;
  const found = placer.place(penalised(pass, wanted), volumes?.slots);
  if (found === undefined) {
    if (before !== undefined) placer.restore(slot, before);
    return NOWHERE;
  }
  if (stop !== undefined) pass.draft.stop(stop.allocation, stop.reason);
  const { slot: chosen, score, victims, claims } = found;
  rows.add(nameIndex, chosen, score, { previousId: previous?.ID, tracker, canary, victims, claims });
  return chosen;
}

function penalised({ view }: Pass, { penalisedNodeIds }: Wanted): readonly number[] {
  if (penalisedNodeIds === undefined) return NONE;
  return [...new Set(penalisedNodeIds.map((id) => view.nodes.slot(id)))].filter((slot) => slot >= 0);
}
