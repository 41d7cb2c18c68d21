import type { DistinctRule } from "./distinct.ts";

/** At most one allocation a node. */
export class DistinctHosts implements DistinctRule {
  readonly reason = "distinct_hosts";
  readonly group: string;
  readonly #counts: Map<number, number> = new Map();

  constructor(group: string) {
    this.group = group;
  }

  allows(slot: number): boolean {
    return (this.#counts.get(slot) ?? 0) === 0;
  }

  add(slot: number): void {
    this.#counts.set(slot, (this.#counts.get(slot) ?? 0) + 1);
  }

  remove(slot: number): void {
    this.#counts.set(slot, (this.#counts.get(slot) ?? 0) - 1);
  }
}
