/** Numbers a cell: place + 1, so that 0 is an empty one; port; count. Side by side, for the processor fetches them together. */
const CELL = 3;

/** Cells that the first change brings. */
const CELLS_MIN = 256;

/**
 * Numbers by place and port, 0 where none was set: an open hash table, because a plan that
 * spreads over many nodes would otherwise make a small map for each of them.
 */
export class PortChanges {
  /** May be longer than the cells that there are. */
  #cells: Int32Array = new Int32Array(0);
  readonly #column: (length: number) => Int32Array;
  /** Of the positions of cells; their number is a power of two. */
  #mask = -1;
  #used = 0;

  /** `column`: gives so many zeros, or more. */
  constructor(column: (length: number) => Int32Array = (length) => new Int32Array(length)) {
    this.#column = column;
  }

  get(place: number, port: number): number {
    if (this.#used === 0) return 0;
    return this.#cells[this.#find(place + 1, port) + 2] as number;
  }

  add(place: number, port: number, by: number): void {
    const at = this.#claim(place, port);
    this.#cells[at + 2] = (this.#cells[at + 2] as number) + by;
  }

  /** Adds 1 if that and the holders that there are besides make no more than 1. */
  addWhere(place: number, port: number, holders: number): boolean {
    const at = this.#claim(place, port);
    const count = this.#cells[at + 2] as number;
    if (count + holders > 0) return false;
    this.#cells[at + 2] = count + 1;
    return true;
  }

  /** The cell of a key, which may be new. */
  #claim(place: number, port: number): number {
    if (2 * this.#used > this.#mask) this.#grow();
    const at = this.#find(place + 1, port);
    if (this.#cells[at] === 0) {
      this.#cells[at] = place + 1;
      this.#cells[at + 1] = port;
      this.#used += 1;
    }
    return at;
  }

  /** The cell of a key, or the empty one where it would be. */
  #find(key: number, port: number): number {
    const cells = this.#cells;
    let hash = Math.imul(key, 0x85ebca6b) ^ Math.imul(port, 0xc2b2ae35);
    hash ^= hash >>> 15;
    for (let at = hash & this.#mask; ; at = (at + 1) & this.#mask) {
      const cell = at * CELL;
      if (cells[cell] === 0 || (cells[cell] === key && cells[cell + 1] === port)) return cell;
    }
  }

  #grow(): void {
    const before = this.#cells;
    const end = CELL * (this.#mask + 1);
    const cells = Math.max(CELLS_MIN, 4 * (this.#mask + 1));
    this.#cells = this.#column(cells * CELL);
    this.#mask = cells - 1;
    for (let from = 0; from < end; from += CELL) {
      if (before[from] === 0) continue;
      const to = this.#find(before[from] as number, before[from + 1] as number);
      this.#cells.set(before.subarray(from, from + CELL), to);
    }
  }
}
