import type { NodeColumns } from "@steppe/state";
import { FEASIBLE, FILTERED, OTHER_DATACENTER, OTHER_POOL, type Verdicts } from "./verdicts.ts";

/** The nodes that take placements, sorted by what they are to a group. Stands until some node changes. */
export class Sifted {
  /** Feasible ones, ascending. */
  readonly slots: Int32Array;
  /** Usable nodes of the group's pool and datacenters. */
  readonly evaluated: number;
  readonly inPool: number;
  /** Counts by datacenter, by verdict and by class of the filtered. */
  readonly available: Int32Array;
  readonly filtered: Int32Array;
  readonly classFiltered: Int32Array;

  constructor({ length, usable }: NodeColumns, verdicts: Verdicts) {
    const { codes, datacenterOf, nodeClassOf } = verdicts;
    this.available = new Int32Array(verdicts.datacenters.texts.length);
    this.filtered = new Int32Array(FILTERED + verdicts.reasons.length);
    this.classFiltered = new Int32Array(verdicts.nodeClasses.texts.length);
    const slots = new Int32Array(length);
    let [count, inPool, evaluated] = [0, 0, 0];
    for (let slot = 0; slot < length; slot++) {
      const code = codes[slot] as number;
      if (usable[slot] === 0 || code === OTHER_POOL) continue;
      inPool += 1;
      if (code === OTHER_DATACENTER) continue;
      evaluated += 1;
      increment(this.available, datacenterOf[slot] as number);
      if (code === FEASIBLE) {
        slots[count++] = slot;
      } else {
        increment(this.filtered, code);
        increment(this.classFiltered, nodeClassOf[slot] as number);
      }
    }
    this.slots = slots.slice(0, count);
    this.evaluated = evaluated;
    this.inPool = inPool;
  }
}

function increment(counts: Int32Array, at: number): void {
  counts[at] = (counts[at] as number) + 1;
}
