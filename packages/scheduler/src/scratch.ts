/**
 * Columns over all nodes that a pass needs while it lasts. A worker's next pass gets the same ones again, at least as long as it asks for:
 * at 10,000 nodes they are half a megabyte, and fresh memory costs more than most of what is done with it.
 */
export class Scratch {
  readonly #ints: Shelf<Int32Array> = new Shelf((length) => new Int32Array(length));
  readonly #floats: Shelf<Float64Array> = new Shelf((length) => new Float64Array(length));
  readonly #bytes: Shelf<Uint8Array> = new Shelf((length) => new Uint8Array(length));

  /** A new pass begins: what was given out before is given out again. */
  reuse(): void {
    this.#ints.reuse();
    this.#floats.reuse();
    this.#bytes.reuse();
  }

  ints(length: number, value = 0): Int32Array {
    return this.#ints.next(length).fill(value, 0, length);
  }

  /** With whatever is in it. */
  floats(length: number): Float64Array {
    return this.#floats.next(length);
  }

  bytes(length: number): Uint8Array {
    return this.#bytes.next(length).fill(0, 0, length);
  }
}

class Shelf<T extends Int32Array | Float64Array | Uint8Array> {
  readonly #columns: T[] = [];
  readonly #make: (length: number) => T;
  #given = 0;

  constructor(make: (length: number) => T) {
    this.#make = make;
  }

  reuse(): void {
    this.#given = 0;
  }

  next(length: number): T {
    const at = this.#given++;
    let column = this.#columns[at];
    if (column === undefined || column.length < length) {
      column = this.#make(length);
      this.#columns[at] = column;
    }
    return column;
  }
}
