import type { Job } from "@steppe/proto";
import { askOf, groupOf } from "@steppe/state";
import type { Candidates } from "./candidates.ts";
import { PerAllocVolumes, perAllocOf } from "./feasible/per-alloc-volumes.ts";
import type { Pass } from "./pass.ts";
import { GroupPlacer } from "./place.ts";
import type { Rows } from "./plan/rows.ts";
import { NONE } from "./rank/reschedule-penalty.ts";
import { bringsRoom, type GroupChanges, replacedBy, type Wanted } from "./reconcile/changes.ts";

/** Places what a group wants, and says what found no place. Older versions, if any are wanted, come last. */
export function placeGroup(pass: Pass, changes: GroupChanges): void {
  const { wanted, staying } = changes;
  const versions = new Set(wanted.map(({ version }) => version));
  const ordered = [...versions].sort((a, b) => (b?.Version ?? Infinity) - (a?.Version ?? Infinity));
  for (const version of ordered) {
    const group = version === undefined ? changes.group : groupOf(version, changes.group.Name);
    if (group === undefined) continue;
    const own = wanted.filter((it) => it.version === version);
    placeVersion(pass, { group, version, wanted: own, staying });
  }
}

interface VersionOfGroup extends Pick<GroupChanges, "group" | "wanted" | "staying"> {
  readonly version: Job | undefined;
}

function placeVersion(pass: Pass, part: VersionOfGroup): void {
  const { group, version, wanted } = part;
  const verdicts = pass.verdicts(group, version);
  const candidates = pass.candidates(group, version);
  const volumes =
    perAllocOf(group).length === 0 ? undefined : new PerAllocVolumes(group, candidates.slots, pass.view.nodes);
  const placer = createPlacer(pass, part, candidates, volumes);
  const rows = pass.draft.rows(group, version);
  rows.explain(placer.metric());
  let waiting = 0;
  let full = false;
  for (const it of wanted) {
    // Once there is no place, there is none for the next either, unless it brings its own.
    const slot: number = full && !bringsRoom(it) ? NOWHERE : place(pass, placer, rows, it, volumes);
    const placed = slot !== NOWHERE;
    if (placed) pass.placed(group.Name, slot, version);
    // Where each has volumes of its own, the next one may find its.
    full ||= !placed && !bringsRoom(it) && volumes === undefined;
    if (!placed) waiting += 1;
  }
  if (waiting > 0) pass.draft.fallShort(group.Name, waiting, placer.metric(), verdicts);
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
    { count: group.Count ?? 1, ask: askOf(group), occupied, rules, claimant: pass.claimant(group) },
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
  rows.add(nameIndex, found.slot, found.score, { previousId: previous?.ID, tracker, canary, claims: found.claims });
  return found.slot;
}

function penalised({ view }: Pass, { penalisedNodeIds }: Wanted): readonly number[] {
  if (penalisedNodeIds === undefined) return NONE;
  return [...new Set(penalisedNodeIds.map((id) => view.nodes.slot(id)))].filter((slot) => slot >= 0);
}
