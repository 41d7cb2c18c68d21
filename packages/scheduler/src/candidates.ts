import { AllocMetric } from "@steppe/proto";
import type { Ask, NodeColumns } from "@steppe/state";
import type { Claimant } from "./claims/claimant.ts";
import type { DistinctRules } from "./feasible/distinct.ts";
import type { Sifted } from "./feasible/sifted.ts";
import { FILTERED, type Verdicts } from "./feasible/verdicts.ts";
import { DIMENSIONS, type Room } from "./room.ts";

/** The nodes that a group may be placed on, as far as only node and specification matter, and what became of the rest. */
export class Candidates {
  /** Feasible slots that take placements, ascending; `restrict` leaves some out. */
  slots: Int32Array;
  readonly #nodes: NodeColumns;
  readonly #verdicts: Verdicts;
  readonly #pool: string;
  readonly #sifted: Sifted;
  /** Left out by `restrict`. */
  #leftOut = 0;

  constructor(nodes: NodeColumns, verdicts: Verdicts, pool: string) {
    this.#nodes = nodes;
    this.#verdicts = verdicts;
    this.#pool = pool;
    this.#sifted = verdicts.sift(nodes);
    this.slots = this.#sifted.slots;
  }

  /** Explains a placement, or why there is none, in the state that the room, the rules and the claimant are in. */
  metric(ask: Ask, room: Room, rules: DistinctRules, claimant: Claimant): AllocMetric {
    const metric = this.overview();
    for (const slot of this.slots) {
      const rule = rules.isEmpty ? undefined : rules.forbidding(slot);
      const lacking = rule === undefined ? (claimant.lacking(slot) ?? DIMENSIONS[room.lacking(slot, ask)]) : undefined;
      if (rule !== undefined) this.#countFiltered(metric, slot, rule.reason);
      else if (lacking !== undefined) this.#countExhausted(metric, slot, lacking);
    }
    return metric;
  }

  /** The same when every candidate would do. */
  overview(): AllocMetric {
    const { evaluated, inPool, available, filtered, classFiltered } = this.#sifted;
    return AllocMetric.create({
      NodesEvaluated: evaluated - this.#leftOut,
      NodesFiltered: evaluated - this.#leftOut - this.slots.length,
      NodesInPool: inPool,
      NodePool: this.#pool,
      NodesAvailable: named(available, this.#verdicts.datacenters.texts),
      ClassFiltered: named(classFiltered, this.#verdicts.nodeClasses.texts),
      ConstraintFiltered: named(filtered.subarray(FILTERED), this.#verdicts.reasons),
    });
  }

  /** Leaves the other feasible slots out of what `metric` looks at. */
  restrict(slots: Int32Array): void {
    this.#leftOut += this.slots.length - slots.length;
    this.slots = slots;
  }

  #countFiltered(metric: AllocMetric, slot: number, reason: string): void {
    metric.NodesFiltered += 1;
    bump(metric.ConstraintFiltered, reason);
    this.#bumpClass(metric.ClassFiltered, slot);
  }

  #countExhausted(metric: AllocMetric, slot: number, dimension: string): void {
    metric.NodesExhausted += 1;
    bump(metric.DimensionExhausted, dimension);
    this.#bumpClass(metric.ClassExhausted, slot);
  }

  /** Nodes without a class are in no class's count. */
  #bumpClass(counts: Record<string, number>, slot: number): void {
    const name = this.#nodes.nodes[slot]?.NodeClass ?? "";
    if (name !== "") bump(counts, name);
  }
}

function bump(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

function named(counts: Int32Array, names: readonly string[]): Record<string, number> {
  const result: Record<string, number> = {};
  counts.forEach((count, i) => {
    const name = names[i] ?? "";
    if (count > 0 && name !== "") result[name] = (result[name] ?? 0) + count;
  });
  return result;
}
