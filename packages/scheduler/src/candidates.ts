import { AllocMetric } from "@steppe/proto";
import type { Ask, NodeColumns } from "@steppe/state";
import type { Claimant } from "./claims/claimant.ts";
import type { DistinctRules } from "./feasible/distinct.ts";
import { FEASIBLE, FILTERED, OTHER_DATACENTER, OTHER_POOL, type Verdicts } from "./feasible/verdicts.ts";
import { DIMENSIONS, type Room } from "./room.ts";

/** The nodes that a group may be placed on, as far as only node and specification matter, and what became of the rest. */
export class Candidates {
  /** Feasible slots that take placements, ascending; `restrict` leaves some out. */
  slots: Int32Array;
  readonly #nodes: NodeColumns;
  readonly #verdicts: Verdicts;
  readonly #pool: string;
  #evaluated = 0;
  #inPool = 0;
  /** Counts by datacenter, by verdict and by class of the filtered. */
  readonly #available: Int32Array;
  readonly #filtered: Int32Array;
  readonly #classFiltered: Int32Array;

  constructor(nodes: NodeColumns, verdicts: Verdicts, pool: string) {
    this.#nodes = nodes;
    this.#verdicts = verdicts;
    this.#pool = pool;
    this.#available = new Int32Array(verdicts.datacenters.texts.length);
    this.#filtered = new Int32Array(FILTERED + verdicts.reasons.length);
    this.#classFiltered = new Int32Array(verdicts.nodeClasses.texts.length);
    this.slots = this.#sift();
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
    return AllocMetric.create({
      NodesEvaluated: this.#evaluated,
      NodesFiltered: this.#evaluated - this.slots.length,
      NodesInPool: this.#inPool,
      NodePool: this.#pool,
      NodesAvailable: named(this.#available, this.#verdicts.datacenters.texts),
      ClassFiltered: named(this.#classFiltered, this.#verdicts.nodeClasses.texts),
      ConstraintFiltered: named(this.#filtered.subarray(FILTERED), this.#verdicts.reasons),
    });
  }

  /** Leaves the other feasible slots out of what `metric` looks at. */
  restrict(slots: Int32Array): void {
    this.#evaluated -= this.slots.length - slots.length;
    this.slots = slots;
  }

  #sift(): Int32Array {
    const { length, usable } = this.#nodes;
    const { codes, datacenterOf, nodeClassOf } = this.#verdicts;
    const slots = new Int32Array(length);
    let count = 0;
    for (let slot = 0; slot < length; slot++) {
      const code = codes[slot] as number;
      if (usable[slot] === 0 || code === OTHER_POOL) continue;
      this.#inPool += 1;
      if (code === OTHER_DATACENTER) continue;
      this.#evaluated += 1;
      increment(this.#available, datacenterOf[slot] as number);
      if (code === FEASIBLE) {
        slots[count++] = slot;
      } else {
        increment(this.#filtered, code);
        increment(this.#classFiltered, nodeClassOf[slot] as number);
      }
    }
    return slots.subarray(0, count);
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

function increment(counts: Int32Array, at: number): void {
  counts[at] = (counts[at] as number) + 1;
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
