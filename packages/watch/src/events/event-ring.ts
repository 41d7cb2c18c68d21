import { Fifo } from "@steppe/model";
import type { Event } from "@steppe/proto";

/** The events of one applied entry. They are made when they are first asked for, and then kept for all readers. */
export interface EntryEvents {
  readonly index: number;
  /** How many there are at most: what the ring's size is counted in. */
  readonly size: number;
  events(): readonly Event[];
}

/**
 * The newest entries with their events, within a bound, so that a reader who was away for a moment
 * goes on where it stood. An entry that changed nothing takes no room and is covered all the same.
 */
export class EventRing {
  readonly #sizeMax: number;
  readonly #entries = new Fifo<EntryEvents>();
  #size = 0;
  #first: number;
  #last: number;
  readonly #wakes: Set<() => void> = new Set();

  /** `applied`: index of the last entry applied before the first that will be added. `sizeMax`: events kept. */
  constructor(applied: number, sizeMax: number) {
    this.#first = applied + 1;
    this.#last = applied;
    this.#sizeMax = sizeMax;
  }

  /** Every event from this index on can be had. */
  get first(): number {
    return this.#first;
  }

  /** Index of the newest entry, with events or without. */
  get last(): number {
    return this.#last;
  }

  /** `undefined`: the entry of that index changed nothing. */
  add(index: number, entry: EntryEvents | undefined): void {
    this.#last = index;
    if (entry === undefined) return;
    this.#entries.push(entry);
    this.#size += entry.size;
    // The newest stays, however large it is: nobody has had time to read it.
    while (this.#size > this.#sizeMax && this.#entries.length > 1) this.#drop();
    for (const wake of [...this.#wakes]) wake();
  }

  /** The entry of that index, and all before it, are not at hand. */
  pass(index: number): void {
    while (this.#entries.length > 0) this.#drop();
    this.#first = index + 1;
  }

  /** The first entry with events at or after `index`, which must not be before `first`. */
  from(index: number): EntryEvents | undefined {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries.at(middle) as EntryEvents).index < index) low = middle + 1;
      else high = middle;
    }
    return this.#entries.at(low);
  }

  /** Calls `wake` after each entry with events until the returned function is called. */
  subscribe(wake: () => void): () => void {
    this.#wakes.add(wake);
    return () => this.#wakes.delete(wake);
  }

  get readers(): number {
    return this.#wakes.size;
  }

  #drop(): void {
    const dropped = this.#entries.shift() as EntryEvents;
    this.#size -= dropped.size;
    this.#first = dropped.index + 1;
  }
}
