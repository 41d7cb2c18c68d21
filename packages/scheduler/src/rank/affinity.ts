import { resolveTarget } from "@steppe/model";
import type { Affinity, Job, TaskGroup } from "@steppe/proto";
import { operandOf } from "../feasible/operand.ts";
import { NodeFacts } from "./node-facts.ts";
import type { Scorer } from "./scorer.ts";

/** Draws allocations to nodes, or away from them, by what their affinities say. */
export class NodeAffinity implements Scorer {
  readonly name = "node-affinity";
  readonly isSilent = false;
  readonly #facts: NodeFacts;

  constructor(facts: NodeFacts) {
    this.#facts = facts;
  }

  score(slot: number): number {
    return this.#facts.values[slot] as number;
  }
}

/** All that bear on a group's allocations, from the job inwards. */
export function affinitiesOf(job: Job, group: TaskGroup): Affinity[] {
  return [...job.Affinities, ...group.Affinities, ...group.Tasks.flatMap((task) => task.Affinities)];
}

/** The weights that match a node over all weights there are, -1 to 1. */
export function affinityFacts(affinities: readonly Affinity[]): NodeFacts {
  const total = affinities.reduce((sum, { Weight }) => sum + Math.abs(Weight ?? DEFAULT_WEIGHT), 0);
  const checks = affinities.map((it) => ({ it, holds: operandOf(it.Operand), weight: it.Weight ?? DEFAULT_WEIGHT }));
  return new NodeFacts((node) => {
    let matched = 0;
    for (const { it, holds, weight } of checks) {
      if (holds?.(resolveTarget(it.LTarget, node), resolveTarget(it.RTarget, node)) === true) matched += weight;
    }
    return total === 0 ? 0 : matched / total;
  });
}

const DEFAULT_WEIGHT = 50;
