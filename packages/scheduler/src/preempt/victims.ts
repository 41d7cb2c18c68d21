import { type AllocationView, type Ask, groupOf } from "@steppe/state";
import type { Room } from "../room.ts";

/** For each victim of a group beyond those that it lets migrate at a time; far beyond any distance. */
const PARALLEL_PENALTY = 50;

/**
 * Which of the candidates on a node have to go for `ask` to fit: from the lowest priority up, and
 * among equals the one that comes closest to what is still lacking, until it fits; then those that
 * turned out not to be needed stay, the highest priority first. Undefined when all together are
 * not enough. Room decides what fits, so that what it knows of a node (ports, devices) counts too;
 * it is left as it was.
 */
export function chooseVictims(
  room: Room,
  slot: number,
  ask: Ask,
  candidates: readonly AllocationView[],
  evictedOf: (allocation: AllocationView) => number,
): readonly AllocationView[] | undefined {
  const chosen: AllocationView[] = [];
  for (const level of byPriority(candidates)) {
    while (level.length > 0 && !room.fits(slot, ask)) {
      const [victim] = level.splice(closest(level, room.shortage(slot, ask), evictedOf, chosen), 1) as [AllocationView];
      chosen.push(victim);
      room.free(slot, victim.Ask);
    }
  }
  const enough = room.fits(slot, ask);
  const needed = enough ? withoutSpare(room, slot, ask, chosen) : chosen;
  for (const { Ask } of needed) room.take(slot, Ask);
  return enough ? needed : undefined;
}

/** Lowest priority first; by id within, so that the order of the state's sets does not matter. */
function byPriority(candidates: readonly AllocationView[]): AllocationView[][] {
  const levels = Map.groupBy(candidates, ({ Job }) => Job.Priority);
  return [...levels].sort(([a], [b]) => a - b).map(([, level]) => level.sort(byId));
}

function closest(
  level: readonly AllocationView[],
  shortage: Omit<Ask, "cores">,
  evictedOf: (allocation: AllocationView) => number,
  chosen: readonly AllocationView[],
): number {
  let best = 0;
  let bestDistance = Number.POSITIVE_INFINITY;
  level.forEach((allocation, i) => {
    const siblings = chosen.filter((it) => it.Job === allocation.Job && it.TaskGroup === allocation.TaskGroup).length;
    const distance = distanceTo(shortage, allocation.Ask) + penalty(allocation, evictedOf(allocation) + siblings);
    if (distance >= bestDistance) return;
    best = i;
    bestDistance = distance;
  });
  return best;
}

/** Euclidean, each dimension as a fraction of what lacks of it; one of which nothing lacks does not count. */
function distanceTo(shortage: Omit<Ask, "cores">, has: Omit<Ask, "cores">): number {
  const part = (lacks: number, gives: number) => (lacks > 0 ? ((lacks - gives) / lacks) ** 2 : 0);
  return Math.sqrt(
    part(shortage.cpu, has.cpu) + part(shortage.memoryMb, has.memoryMb) + part(shortage.diskMb, has.diskMb),
  );
}

function penalty({ Job, TaskGroup }: AllocationView, evicted: number): number {
  const parallel = groupOf(Job, TaskGroup)?.Migrate?.MaxParallel ?? 0;
  return parallel > 0 && evicted >= parallel ? (evicted + 1 - parallel) * PARALLEL_PENALTY : 0;
}

/** Gives back, highest priority first, whatever the ask fits without. */
function withoutSpare(room: Room, slot: number, ask: Ask, chosen: readonly AllocationView[]): AllocationView[] {
  return chosen.toReversed().filter((victim) => {
    room.take(slot, victim.Ask);
    if (room.fits(slot, ask)) return false;
    room.free(slot, victim.Ask);
    return true;
  });
}

const byId = (a: AllocationView, b: AllocationView): number => (a.ID < b.ID ? -1 : Number(a.ID > b.ID));
