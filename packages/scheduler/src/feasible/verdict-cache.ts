import type { Job, TaskGroup } from "@steppe/proto";
import type { NodeColumns } from "@steppe/state";
import { affinitiesOf, affinityFacts, NodeAffinity } from "../rank/affinity.ts";
import type { NodeFacts } from "../rank/node-facts.ts";
import { SpreadValues } from "../rank/spread-values.ts";
import { Scratch } from "../scratch.ts";
import { constraintsOf, isDistinct } from "./constraint.ts";
import { driversOf } from "./driver.ts";
import { describeNeeds } from "./group-checks.ts";
import { Verdicts } from "./verdicts.ts";

/** Specifications whose verdicts are kept: at 10,000 nodes one takes about 150 KB. */
const KEPT_MAX = 64;

/**
 * Verdicts by what they depend on, so that jobs that ask alike share them. A worker keeps one and
 * hands it to every pass; without it a pass judges every node anew. Least recently used go first.
 */
export class VerdictCache {
  readonly scratch: Scratch = new Scratch();
  readonly #kept: Map<string, Verdicts> = new Map();
  readonly #affinities: Map<string, NodeFacts> = new Map();
  readonly #spreadValues: Map<string, SpreadValues> = new Map();

  /** Up to date for these nodes. */
  of(job: Job, group: TaskGroup, nodes: NodeColumns): Verdicts {
    const verdicts = recall(this.#kept, signature(job, group), () => new Verdicts(job, group));
    verdicts.refresh(nodes);
    return verdicts;
  }

  /** Undefined when the group has no affinities. */
  affinity(job: Job, group: TaskGroup, nodes: NodeColumns): NodeAffinity | undefined {
    const affinities = affinitiesOf(job, group);
    if (affinities.length === 0) return undefined;
    const key = JSON.stringify(affinities.map((it) => [it.LTarget, it.Operand, it.RTarget, it.Weight]));
    const facts = recall(this.#affinities, key, () => affinityFacts(affinities));
    facts.refresh(nodes);
    return new NodeAffinity(facts);
  }

  spreadValues(attribute: string): SpreadValues {
    return recall(this.#spreadValues, attribute, () => new SpreadValues(attribute));
  }
}

function recall<T>(kept: Map<string, T>, key: string, make: () => T): T {
  const found = kept.get(key) ?? make();
  kept.delete(key);
  kept.set(key, found);
  if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value as string);
  return found;
}

function signature(job: Job, group: TaskGroup): string {
  const constraints = constraintsOf(job, group)
    .filter((it) => !isDistinct(it))
    .map(({ LTarget, Operand, RTarget }) => [LTarget, Operand, RTarget]);
  return JSON.stringify([job.NodePool, job.Datacenters, driversOf(group), constraints, describeNeeds(group)]);
}
