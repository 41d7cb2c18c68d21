import type { Job, Node, TaskGroup } from "@steppe/proto";
import type { NodeColumns } from "@steppe/state";
import type { Check } from "./check.ts";
import { constraintCheck, constraintsOf, isDistinct } from "./constraint.ts";
import { inDatacenters } from "./datacenter.ts";
import { groupChecks } from "./group-checks.ts";
import { inPool } from "./node-pool.ts";
import { Sifted } from "./sifted.ts";

/** Verdicts; numbers from FILTERED on say by which check. */
export const FEASIBLE = 0;
export const OTHER_POOL = 1;
export const OTHER_DATACENTER = 2;
export const FILTERED = 3;

/**
 * What every node is to a task group, as far as only the node and the specification matter. Kept
 * across evaluations: the verdict on a node stands until its object is another one, since nodes
 * are never changed in place. Checks that all nodes of a computed class answer alike run once a class.
 */
export class Verdicts {
  /** By slot; valid for slots that hold a node. */
  codes: Uint16Array = new Uint16Array(0);
  /** By slot: positions in `datacenters` and `nodeClasses`, for counting. */
  datacenterOf: Uint16Array = new Uint16Array(0);
  nodeClassOf: Uint16Array = new Uint16Array(0);
  readonly datacenters: Names = new Names();
  readonly nodeClasses: Names = new Names();
  /** Why nodes were filtered, by code - FILTERED. */
  readonly reasons: readonly string[];
  /** Some constraint looks beyond the computed class. */
  readonly escapesClass: boolean;
  readonly #job: Pick<Job, "Datacenters" | "NodePool">;
  readonly #byClass: readonly (readonly [Check, number])[];
  readonly #byNode: readonly (readonly [Check, number])[];
  readonly #classCodes: Map<string, number> = new Map();
  readonly #judged: (Node | undefined)[] = [];
  /** Of the nodes as they were looked at last. */
  #revision: object | undefined = undefined;
  #sifted: Sifted | undefined = undefined;

  constructor(job: Job, group: TaskGroup) {
    const constraints = constraintsOf(job, group)
      .filter((it) => !isDistinct(it))
      .map(constraintCheck);
    const checks = [...constraints, ...groupChecks(group)];
    const numbered = checks.map((check, i) => [check, FILTERED + i] as const);
    this.reasons = checks.map(({ reason }) => reason);
    this.escapesClass = constraints.some(({ byClass }) => !byClass);
    this.#job = { Datacenters: job.Datacenters, NodePool: job.NodePool };
    this.#byClass = numbered.filter(([check]) => check.byClass);
    this.#byNode = numbered.filter(([check]) => !check.byClass);
  }

  /** Judges nodes that are new or changed. */
  refresh(nodes: NodeColumns): void {
    if (this.#revision === nodes.revision) return;
    this.#revision = nodes.revision;
    this.#sifted = undefined;
    this.#grow(nodes.length);
    const judged = this.#judged;
    for (let slot = 0; slot < nodes.length; slot++) {
      const node = nodes.nodes[slot];
      if (judged[slot] === node) continue;
      judged[slot] = node;
      if (node === undefined) continue;
      this.codes[slot] = this.#judge(node, nodes.className(slot));
      this.datacenterOf[slot] = this.datacenters.number(node.Datacenter);
      this.nodeClassOf[slot] = this.nodeClasses.number(node.NodeClass);
    }
  }

  /** After `refresh` for the same nodes. */
  sift(nodes: NodeColumns): Sifted {
    this.#sifted ??= new Sifted(nodes, this);
    return this.#sifted;
  }

  /** Whether nodes of a class may be feasible, for the classes that there are. */
  classEligibility(nodes: NodeColumns): Record<string, boolean> {
    const eligibility: Record<string, boolean> = {};
    for (let slot = 0; slot < nodes.length; slot++) {
      if (nodes.nodes[slot] === undefined) continue;
      const name = nodes.className(slot);
      eligibility[name] ??= this.#classCodes.get(name) === FEASIBLE;
    }
    return eligibility;
  }

  #judge(node: Node, className: string): number {
    let code = this.#classCodes.get(className);
    if (code === undefined) {
      code = this.#judgeClass(node);
      this.#classCodes.set(className, code);
    }
    return code === FEASIBLE ? firstFailing(this.#byNode, node) : code;
  }

  /** Pool and datacenter are part of the computed class. */
  #judgeClass(node: Node): number {
    if (!inPool(this.#job.NodePool, node.NodePool)) return OTHER_POOL;
    if (!inDatacenters(this.#job.Datacenters, node.Datacenter)) return OTHER_DATACENTER;
    return firstFailing(this.#byClass, node);
  }

  #grow(length: number): void {
    if (length <= this.codes.length) return;
    this.codes = wider(this.codes, length);
    this.datacenterOf = wider(this.datacenterOf, length);
    this.nodeClassOf = wider(this.nodeClassOf, length);
  }
}

function firstFailing(checks: readonly (readonly [Check, number])[], node: Node): number {
  for (const [check, code] of checks) {
    if (!check.accepts(node)) return code;
  }
  return FEASIBLE;
}

function wider(column: Uint16Array, length: number): Uint16Array {
  const result = new Uint16Array(Math.max(64, 2 * column.length, length));
  result.set(column);
  return result;
}

/** Numbers texts in the order they come. */
class Names {
  readonly texts: string[] = [];
  readonly #numbers: Map<string, number> = new Map();

  number(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.texts.push(text) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }
}
