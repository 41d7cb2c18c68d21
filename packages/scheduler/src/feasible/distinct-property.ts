import { resolveTarget } from "@steppe/model";
import type { Constraint } from "@steppe/proto";
import type { NodeColumns } from "@steppe/state";
import type { DistinctRule } from "./distinct.ts";

/** At most so many allocations on nodes with the same value of a property. A node without it takes none. */
export class DistinctProperty implements DistinctRule {
  readonly reason: string;
  readonly allowsAll = false;
  readonly group: string;
  readonly #target: string;
  readonly #most: number;
  readonly #nodes: NodeColumns;
  readonly #counts: Map<string, number> = new Map();

  constructor({ LTarget, RTarget }: Constraint, group: string, nodes: NodeColumns) {
    this.reason = `distinct_property: ${LTarget}`;
    this.group = group;
    this.#target = LTarget;
    // Without a number, one: the documented default.
    this.#most = RTarget === "" ? 1 : Number(RTarget);
    this.#nodes = nodes;
  }

  allows(slot: number): boolean {
    const value = this.#valueOf(slot);
    return value !== undefined && (this.#counts.get(value) ?? 0) < this.#most;
  }

  add(slot: number): void {
    this.#change(slot, 1);
  }

  remove(slot: number): void {
    this.#change(slot, -1);
  }

  #change(slot: number, by: 1 | -1): void {
    const value = this.#valueOf(slot);
    if (value !== undefined) this.#counts.set(value, (this.#counts.get(value) ?? 0) + by);
  }

  #valueOf(slot: number): string | undefined {
    const node = this.#nodes.nodes[slot];
    return node === undefined ? undefined : resolveTarget(this.#target, node);
  }
}
