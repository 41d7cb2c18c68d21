import { DesiredUpdates } from "@steppe/proto";
import type { GroupChanges, Wanted } from "./changes.ts";
import { beginning, type GroupOptions, standing } from "./group.ts";
import { isHeld } from "./pace.ts";
import { isCanarying } from "./rollout.ts";

/**
 * What comes of comparing a group that has no allocations at all, by far the most frequent case, without making two
 * dozen empty lists. Undefined where more may be to decide: a deployment that looks after the group is under way.
 */
export function firstPlacements(given: GroupOptions): GroupChanges | undefined {
  const { group, rollout } = given.rollout.pending ? standing(given) : given;
  if (rollout.state !== undefined) return undefined;
  const begun = beginning(NOTHING, NOTHING_KEPT, given);
  if (isCanarying(begun)) return undefined;
  const wanted: Wanted[] = [];
  if (!isHeld(rollout, begun))
    for (let nameIndex = 0; nameIndex < (group.Count ?? 1); nameIndex++) wanted.push({ nameIndex });
  return {
    group,
    stops: NOTHING,
    inPlace: NOTHING,
    staying: NOTHING,
    wanted,
    later: NOTHING,
    disconnects: NOTHING,
    timeouts: NOTHING,
    reconnects: NOTHING,
    heldBack: 0,
    begun,
    desired: { ...DesiredUpdates.create(), Place: wanted.length },
    complete: false,
  };
}

const NOTHING: readonly never[] = Object.freeze([]);
const NOTHING_KEPT = { inPlace: [], destructive: [] };
