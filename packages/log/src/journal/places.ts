/** Where in a segment a record begins. */
export interface Place {
  readonly index: number;
  /** Bytes from the segment's start. */
  readonly offset: number;
}

/** Between two places that are kept: what is read in vain before a record that somebody asks for. */
const EVERY_BYTES = 128 * 1024;

/** Where in a segment some of its records begin, so that reading one does not begin with the first. */
export class Places {
  readonly #kept: Place[] = [];

  /** Takes in records that follow one another from an offset on; returns the offset behind them. */
  add(records: readonly { readonly index: number; readonly bytes: number }[], from: number): number {
    let offset = from;
    for (const { index, bytes } of records) {
      const last = this.#kept.at(-1);
      if (last === undefined || offset - last.offset >= EVERY_BYTES) this.#kept.push({ index, offset });
      offset += bytes;
    }
    return offset;
  }

  /** The last one at or before a record that the segment holds. */
  before(index: number): Place | undefined {
    return this.#kept.findLast((place) => place.index <= index);
  }
}
