import type { TaskGroup } from "@steppe/proto";
import type { NodeColumns } from "@steppe/state";
import type { DistinctRule } from "./distinct.ts";
import { hasVolume, MISSING_VOLUMES, sourceOf } from "./volume.ts";

/** Volumes of which each allocation has its own: only nodes with that of the one to be placed will do. */
export class PerAllocVolumes implements DistinctRule {
  readonly reason = MISSING_VOLUMES;
  readonly allowsAll = false;
  readonly group: string;
  /** Of the allocation that is to be placed next. */
  nameIndex = 0;
  readonly #requests: TaskGroup["Volumes"][string][];
  readonly #nodes: NodeColumns;
  readonly #slots: Int32Array;
  readonly #byIndex: Map<number, readonly number[]> = new Map();

  constructor(group: TaskGroup, slots: Int32Array, nodes: NodeColumns) {
    this.group = group.Name;
    this.#requests = perAllocOf(group);
    this.#slots = slots;
    this.#nodes = nodes;
  }

  allows(slot: number): boolean {
    const node = this.#nodes.nodes[slot];
    return (
      node !== undefined && this.#requests.every((it) => hasVolume(sourceOf(it, this.nameIndex), it.ReadOnly, node))
    );
  }

  /** Where the next one may go. */
  get slots(): readonly number[] {
    let slots = this.#byIndex.get(this.nameIndex);
    if (slots === undefined) {
      slots = [...this.#slots].filter((slot) => this.allows(slot));
      this.#byIndex.set(this.nameIndex, slots);
    }
    return slots;
  }

  /** Volumes do not fill up. */
  add(): void {}

  remove(): void {}
}

export function perAllocOf(group: TaskGroup): TaskGroup["Volumes"][string][] {
  return Object.values(group.Volumes).filter(({ Type, PerAlloc }) => Type === "host" && PerAlloc);
}
