import type { Constraint, Job } from "@steppe/proto";
import type { NodeColumns } from "@steppe/state";
import type { Scratch } from "../scratch.ts";
import { isDistinct } from "./constraint.ts";
import { DistinctHosts } from "./distinct-hosts.ts";
import { DistinctProperty } from "./distinct-property.ts";

/** A rule about where allocations of one job stand in relation to each other; it follows the plan as it grows. */
export interface DistinctRule {
  readonly reason: string;
  /** The group it counts and binds; empty for all of the job's. */
  readonly group: string;
  /** One more may stand anywhere, as far as it can tell without a look at every slot. */
  readonly allowsAll: boolean;
  /** One more may stand there. */
  allows(slot: number): boolean;
  add(slot: number): void;
  remove(slot: number): void;
}

/** Rules that hold together. Slot -1 is nowhere. */
export class DistinctRules {
  readonly #rules: readonly DistinctRule[];

  constructor(rules: readonly DistinctRule[]) {
    this.#rules = rules;
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /** These and one more. */
  and(rule: DistinctRule): DistinctRules {
    return new DistinctRules([...this.#rules, rule]);
  }

  get allowsAll(): boolean {
    return this.#rules.every((rule) => rule.allowsAll);
  }

  add(slot: number): void {
    if (slot < 0) return;
    for (const rule of this.#rules) rule.add(slot);
  }

  remove(slot: number): void {
    if (slot < 0) return;
    for (const rule of this.#rules) rule.remove(slot);
  }

  allows(slot: number): boolean {
    return this.forbidding(slot) === undefined;
  }

  forbidding(slot: number): DistinctRule | undefined {
    const rules = this.#rules;
    for (let i = 0; i < rules.length; i++) if (!(rules[i] as DistinctRule).allows(slot)) return rules[i];
    return undefined;
  }
}

/** The distinct_hosts and distinct_property constraints of a job and of its groups. */
export class JobDistinct {
  readonly #job: Job;
  readonly #nodes: NodeColumns;
  readonly #scratch: Scratch;
  readonly #rules: readonly DistinctRule[];

  constructor(job: Job, nodes: NodeColumns, scratch: Scratch) {
    this.#job = job;
    this.#nodes = nodes;
    this.#scratch = scratch;
    this.#rules = this.#create();
  }

  /** Those that bind a group; rules of the job are shared between its groups. */
  of(group: string): DistinctRules {
    return new DistinctRules(this.#rules.filter((rule) => binds(rule, group)));
  }

  /** Counts an allocation of a group for every rule that it concerns. */
  add(group: string, slot: number): void {
    if (slot < 0) return;
    for (const rule of this.#rules) if (binds(rule, group)) rule.add(slot);
  }

  /** As `of`, with nothing counted yet. */
  fork(group: string): DistinctRules {
    return new DistinctRules(this.#create().filter((rule) => binds(rule, group)));
  }

  #create(): DistinctRule[] {
    const make = (constraints: readonly Constraint[], group: string) =>
      constraints.filter(isDistinct).flatMap((constraint) => createRule(constraint, group, this.#nodes, this.#scratch));
    return [
      ...make(this.#job.Constraints, ""),
      ...this.#job.TaskGroups.flatMap((group) => make(group.Constraints, group.Name)),
    ];
  }
}

/** Right sides that turn distinct_hosts off; any other, a word that is no truth value too, leaves it on. */
const FALSE: ReadonlySet<string> = new Set(["false", "False", "FALSE", "f", "F", "0"]);

const binds = (rule: DistinctRule, group: string): boolean => rule.group === "" || rule.group === group;

function createRule(constraint: Constraint, group: string, nodes: NodeColumns, scratch: Scratch): DistinctRule[] {
  if (constraint.Operand === "distinct_property") return [new DistinctProperty(constraint, group, nodes)];
  return FALSE.has(constraint.RTarget) ? [] : [new DistinctHosts(group, scratch.ints(nodes.length))];
}
