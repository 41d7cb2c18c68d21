import type { Node } from "@steppe/proto";
import type { NodeColumns } from "@steppe/state";

/**
 * A number for each node that depends on nothing but the node. Kept across evaluations: it stands
 * until the node's object is another one, since nodes are never changed in place.
 */
export class NodeFacts {
  /** By slot; valid for slots that hold a node. */
  values: Float64Array = new Float64Array(0);
  readonly #of: (node: Node) => number;
  readonly #known: (Node | undefined)[] = [];
  #revision: object | undefined = undefined;

  constructor(of: (node: Node) => number) {
    this.#of = of;
  }

  refresh(nodes: NodeColumns): void {
    if (this.#revision === nodes.revision) return;
    this.#revision = nodes.revision;
    this.#grow(nodes.length);
    for (let slot = 0; slot < nodes.length; slot++) {
      const node = nodes.nodes[slot];
      if (this.#known[slot] === node) continue;
      this.#known[slot] = node;
      if (node !== undefined) this.values[slot] = this.#of(node);
    }
  }

  #grow(length: number): void {
    if (length <= this.values.length) return;
    const wider = new Float64Array(Math.max(64, 2 * this.values.length, length));
    wider.set(this.values);
    this.values = wider;
  }
}
