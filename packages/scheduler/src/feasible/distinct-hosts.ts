import type { DistinctRule } from "./distinct.ts";

/** At most one allocation a node. */
export class DistinctHosts implements DistinctRule {
  readonly reason = "distinct_hosts";
  readonly group: string;
  /** By slot. */
  readonly #counts: Int32Array;
  #total = 0;

  /** `counts`: a zero for each slot, for it alone. */
  constructor(group: string, counts: Int32Array) {
    this.group = group;
    this.#counts = counts;
  }

  get allowsAll(): boolean {
    return this.#total === 0;
  }

  allows(slot: number): boolean {
    return (this.#counts[slot] as number) === 0;
  }

  add(slot: number): void {
    this.#counts[slot] = (this.#counts[slot] as number) + 1;
    this.#total += 1;
  }

  remove(slot: number): void {
    this.#counts[slot] = (this.#counts[slot] as number) - 1;
    this.#total -= 1;
  }
}
