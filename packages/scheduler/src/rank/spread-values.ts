import { resolveTarget } from "@steppe/model";
import { NodeFacts } from "./node-facts.ts";

/** The number of a node that lacks the attribute. */
export const NO_VALUE = -1;

/** The values of one attribute over the nodes, numbered in the order they were met. */
export class SpreadValues {
  readonly facts: NodeFacts;
  readonly #numbers: Map<string, number> = new Map();

  constructor(attribute: string) {
    this.facts = new NodeFacts((node) => {
      const value = resolveTarget(attribute, node);
      return value === undefined ? NO_VALUE : this.number(value);
    });
  }

  number(value: string): number {
    let number = this.#numbers.get(value);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(value, number);
    }
    return number;
  }

  of(slot: number): number {
    return this.facts.values[slot] as number;
  }
}
