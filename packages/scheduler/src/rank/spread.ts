import type { NodeColumns } from "@steppe/state";
import type { SpreadBlock } from "./spread-block.ts";

/**
 * The spread blocks of a group together. Nodes with the same values of all blocks' attributes are
 * a class: placing on one of them changes the term of its whole class at once, and of the other
 * classes that share a value with it. Classes are numbered from 0.
 */
export class Spreads {
  readonly name = "allocation-spread";
  /** By class. */
  readonly #terms: number[] = [];
  readonly #blocks: readonly SpreadBlock[];
  /** By slot, -1 = not asked for yet. */
  readonly #classOf: Int32Array;
  readonly #classes: Map<string | number, number> = new Map();
  /** By class: its value of each block. */
  readonly #valuesOf: number[][] = [];
  /** By block and value: the classes with it. */
  readonly #having: Map<number, number[]>[];

  constructor(blocks: readonly SpreadBlock[], nodes: NodeColumns) {
    this.#blocks = blocks;
    this.#classOf = new Int32Array(nodes.length).fill(-1);
    this.#having = blocks.map(() => new Map());
    for (const { values } of blocks) values.facts.refresh(nodes);
  }

  /** At most so many classes there are now; more may come with slots not asked for yet. */
  get size(): number {
    return this.#terms.length;
  }

  classOf(slot: number): number {
    const known = this.#classOf[slot] as number;
    if (known !== -1) return known;
    const number = this.#numberOf(slot);
    this.#classOf[slot] = number;
    return number;
  }

  /** 0: has nothing to say. */
  term(number: number): number {
    return this.#terms[number] as number;
  }

  /** The classes whose term changed. */
  add(slot: number): readonly number[] {
    return this.#count(slot, 1);
  }

  remove(slot: number): readonly number[] {
    return this.#count(slot, -1);
  }

  #count(slot: number, by: 1 | -1): readonly number[] {
    const changed: number[] = [];
    this.#blocks.forEach((block, b) => {
      const value = block.values.of(slot);
      const affected = by === 1 ? block.add(value) : block.remove(value);
      if (affected === "value") for (const it of this.#having[b]?.get(value) ?? []) this.#refresh(it, changed);
      else for (let it = 0; it < this.#terms.length; it++) this.#refresh(it, changed);
    });
    return changed;
  }

  #refresh(number: number, changed: number[]): void {
    const term = this.#compute(this.#valuesOf[number] as number[]);
    if (term === this.#terms[number]) return;
    this.#terms[number] = term;
    changed.push(number);
  }

  #compute(values: readonly number[]): number {
    let sum = 0;
    for (let b = 0; b < values.length; b++) sum += (this.#blocks[b] as SpreadBlock).boost(values[b] as number);
    return sum;
  }

  #numberOf(slot: number): number {
    const [only, second] = this.#blocks;
    const key =
      second === undefined && only !== undefined
        ? only.values.of(slot)
        : this.#blocks.map(({ values }) => values.of(slot)).join();
    const known = this.#classes.get(key);
    if (known !== undefined) return known;
    const values = this.#blocks.map((block) => block.values.of(slot));
    const number = this.#terms.push(this.#compute(values)) - 1;
    this.#classes.set(key, number);
    this.#valuesOf.push(values);
    values.forEach((value, b) => {
      const having = this.#having[b] as Map<number, number[]>;
      const classes = having.get(value);
      if (classes === undefined) having.set(value, [number]);
      else classes.push(number);
    });
    return number;
  }
}
