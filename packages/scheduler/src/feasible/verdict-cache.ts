import type { Job, TaskGroup } from "@steppe/proto";
import type { NodeColumns } from "@steppe/state";
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
  readonly #kept: Map<string, Verdicts> = new Map();

  /** Up to date for these nodes. */
  of(job: Job, group: TaskGroup, nodes: NodeColumns): Verdicts {
    const key = signature(job, group);
    const verdicts = this.#kept.get(key) ?? new Verdicts(job, group);
    this.#kept.delete(key);
    this.#kept.set(key, verdicts);
    if (this.#kept.size > KEPT_MAX) this.#kept.delete(this.#kept.keys().next().value as string);
    verdicts.refresh(nodes);
    return verdicts;
  }
}

function signature(job: Job, group: TaskGroup): string {
  const constraints = constraintsOf(job, group)
    .filter((it) => !isDistinct(it))
    .map(({ LTarget, Operand, RTarget }) => [LTarget, Operand, RTarget]);
  return JSON.stringify([job.NodePool, job.Datacenters, driversOf(group), constraints, describeNeeds(group)]);
}
