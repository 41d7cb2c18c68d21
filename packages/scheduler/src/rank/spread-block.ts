import type { Spread } from "@steppe/proto";
import { NO_VALUE, type SpreadValues } from "./spread-values.ts";

/** Which values' boosts a placement changed: of the one value that was placed on, or of all. */
export type Affected = "value" | "all";

/** One spread block: how welcome one more allocation is on each value of its attribute. */
export interface SpreadBlock {
  readonly values: SpreadValues;
  /** Normally within -1 to 1. */
  boost(value: number): number;
  add(value: number): Affected;
  remove(value: number): Affected;
}

/** `share` is the block's weight over the weights of all blocks. */
export function createSpreadBlock(spread: Spread, values: SpreadValues, count: number, share: number): SpreadBlock {
  return spread.SpreadTarget.length > 0 ? new TargetedSpread(spread, values, count, share) : new EvenSpread(values);
}

/** The target that stands for every value without one of its own. */
const ANY = "*";

/** Shares by percent; what they leave over goes to the other values. */
class TargetedSpread implements SpreadBlock {
  readonly values: SpreadValues;
  readonly #share: number;
  /** Allocations wanted, by value. */
  readonly #desired: Map<number, number> = new Map();
  readonly #desiredOfOthers: number | undefined;
  readonly #unwanted: boolean;
  readonly #used: Map<number, number> = new Map();
  /** What a value gets of which none is wanted: no better than the worst so far. */
  #lowest = -1;

  constructor({ SpreadTarget: targets }: Spread, values: SpreadValues, count: number, share: number) {
    this.values = values;
    this.#share = share;
    // In whole per cents: what differences of fractions leave would pass for a share.
    let left = 100;
    let others: number | undefined;
    for (const { Value, Percent } of targets) {
      const desired = (Percent / 100) * count;
      left -= Percent;
      if (Value === ANY) others = desired;
      else this.#desired.set(values.number(Value), desired);
    }
    this.#desiredOfOthers = others ?? (left > 0 ? (left / 100) * count : undefined);
    this.#unwanted = targets.some(({ Percent }) => Percent === 0);
  }

  boost(value: number): number {
    const desired = this.#desired.get(value) ?? (value === NO_VALUE ? undefined : this.#desiredOfOthers);
    if (desired === undefined) return -1;
    if (desired === 0) return this.#lowest;
    const used = (this.#used.get(value) ?? 0) + 1;
    return ((desired - used) / desired) * this.#share;
  }

  add(value: number): Affected {
    this.#used.set(value, (this.#used.get(value) ?? 0) + 1);
    const boost = this.boost(value);
    if (boost >= this.#lowest) return "value";
    this.#lowest = boost;
    return this.#unwanted ? "all" : "value";
  }

  remove(value: number): Affected {
    this.#used.set(value, (this.#used.get(value) ?? 0) - 1);
    return "value";
  }
}

/**
 * As many on each value as on any other. What a value gets hangs on the fewest and the most of
 * the values in use. While allocations spread evenly those move twice a round over the values, so
 * that on average a placement changes the boosts of a few values and not of all.
 */
class EvenSpread implements SpreadBlock {
  readonly values: SpreadValues;
  readonly #used: Map<number, number> = new Map();
  /** How many values have so many allocations, by that number from 1. */
  readonly #alike: number[] = [];
  #fewest = 0;
  #most = 0;

  constructor(values: SpreadValues) {
    this.values = values;
  }

  boost(value: number): number {
    if (value === NO_VALUE) return -1;
    if (this.#most === 0) return 0;
    const used = this.#used.get(value) ?? 0;
    if (used !== this.#fewest) return (this.#fewest - used) / this.#fewest;
    return this.#fewest === this.#most ? -1 : (this.#most - this.#fewest) / this.#fewest;
  }

  add(value: number): Affected {
    return this.#change(value, 1);
  }

  remove(value: number): Affected {
    return this.#change(value, -1);
  }

  #change(value: number, by: 1 | -1): Affected {
    if (value === NO_VALUE) return "value";
    const before = this.#used.get(value) ?? 0;
    const after = before + by;
    this.#used.set(value, after);
    if (before > 0) this.#alike[before] = (this.#alike[before] ?? 0) - 1;
    if (after > 0) this.#alike[after] = (this.#alike[after] ?? 0) + 1;
    return this.#bound(before, after) ? "all" : "value";
  }

  /** Moves the bounds on; true when they moved. */
  #bound(before: number, after: number): boolean {
    const { fewest, most } = { fewest: this.#fewest, most: this.#most };
    this.#most = Math.max(this.#most, after);
    while (this.#most > 0 && !this.#isUsed(this.#most)) this.#most -= 1;
    if (after > 0 && (after < this.#fewest || this.#fewest === 0)) this.#fewest = after;
    if (before === this.#fewest) while (this.#fewest < this.#most && !this.#isUsed(this.#fewest)) this.#fewest += 1;
    if (this.#most === 0) this.#fewest = 0;
    return fewest !== this.#fewest || most !== this.#most;
  }

  #isUsed(count: number): boolean {
    return (this.#alike[count] ?? 0) > 0;
  }
}
