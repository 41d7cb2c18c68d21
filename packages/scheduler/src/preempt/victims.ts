import { type AllocationView, type Ask, groupOf } from "@steppe/state";
import type { Ground } from "./ground.ts";

/** For each victim of a group beyond those that it lets migrate at a time; far beyond any distance. */
const PARALLEL_PENALTY = 50;

/** Of one that holds no ports, devices or cores where only those lack; more than what any other lacks. */
const NO_CLAIMS = 10;

/**
 * Which of the candidates on a node have to go for an allocation to fit: from the lowest priority up, and
 * among equals the one that comes closest to what is still lacking, until it fits; then those that
 * turned out not to be needed stay, the highest priority first. Undefined when all together are
 * not enough. The ground is left as it was.
 */
export function chooseVictims(
  ground: Ground,
  slot: number,
  candidates: readonly AllocationView[],
  evictedOf: (allocation: AllocationView) => number,
): readonly AllocationView[] | undefined {
  const chosen: AllocationView[] = [];
  for (const level of byPriority(candidates)) {
    while (level.length > 0 && !ground.fits(slot)) {
      const [victim] = level.splice(closest(level, ground.shortage(slot), evictedOf, chosen), 1) as [AllocationView];
      chosen.push(victim);
      ground.free(slot, victim);
    }
  }
  const enough = ground.fits(slot);
  const needed = enough ? withoutSpare(ground, slot, chosen) : chosen;
  for (const victim of needed) ground.restore(slot, victim);
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
  const lacksClaims = shortage.cpu === 0 && shortage.memoryMb === 0 && shortage.diskMb === 0;
  let best = 0;
  let bestDistance = Number.POSITIVE_INFINITY;
  level.forEach((allocation, i) => {
    const siblings = chosen.filter((it) => it.Job === allocation.Job && it.TaskGroup === allocation.TaskGroup).length;
    const useless = lacksClaims && allocation.Claims === undefined ? NO_CLAIMS : 0;
    const distance = distanceTo(shortage, allocation.Ask) + penalty(allocation, evictedOf(allocation) + siblings);
    if (distance + useless >= bestDistance) return;
    best = i;
    bestDistance = distance + useless;
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

/** Gives back, highest priority first, whatever it fits without. */
function withoutSpare(ground: Ground, slot: number, chosen: readonly AllocationView[]): AllocationView[] {
  return chosen.toReversed().filter((victim) => {
    ground.restore(slot, victim);
    if (ground.fits(slot)) return false;
    ground.free(slot, victim);
    return true;
  });
}

const byId = (a: AllocationView, b: AllocationView): number => (a.ID < b.ID ? -1 : Number(a.ID > b.ID));
