/**
 * A region's log as JetStream keeps it: records by sequence, a leader that may be gone for a while, snapshots beside it.
 * Knows nothing of processes; `log-end.ts` is a process's end of it.
 */
import type { SeededRandom } from "../kernel/random.ts";

/** What becomes of an append that arrives. */
export type Fate =
  /** Stored; `acknowledged` if the answer is sent. */
  | { readonly kind: "stored"; readonly index: number; readonly acknowledged: boolean }
  /** Refused for certain: no stream leader. */
  | { readonly kind: "refused" }
  /** Nobody answers, and it is not stored. */
  | { readonly kind: "dropped" };

/** Faults of the log, while they last. */
export interface LogFault {
  /** No leader: nothing is stored. */
  readonly stalled?: boolean;
  /** Of what is stored, how often no acknowledgement is sent. */
  readonly ackLoss?: number;
  /** How often a record is stored twice, as when a client's library sends again. */
  readonly doubled?: number;
  /** Milliseconds that an append and its acknowledgement take more, at most. */
  readonly slowMs?: number;
}

export class LogStream {
  readonly place: string;
  readonly #random: SeededRandom;
  readonly #faults: Set<LogFault> = new Set();
  readonly #listeners: Set<() => void> = new Set();
  #records: Uint8Array[] = [];
  #base = 0;
  /** Told of every record, in order, at the moment at which it is stored. */
  onStored: (index: number, payload: Uint8Array) => void = () => undefined;
  snapshot: { readonly index: number; readonly data: Uint8Array } | undefined;

  constructor(place: string, random: SeededRandom) {
    this.place = place;
    this.#random = random;
  }

  get lastIndex(): number {
    return this.#base + this.#records.length;
  }

  get firstIndex(): number {
    return this.#base + 1;
  }

  get hasLeader(): boolean {
    return ![...this.#faults].some(({ stalled }) => stalled === true);
  }

  get slowMs(): number {
    return Math.max(0, ...[...this.#faults].map(({ slowMs }) => slowMs ?? 0));
  }

  fault(fault: LogFault): () => void {
    this.#faults.add(fault);
    return () => {
      this.#faults.delete(fault);
      this.#changed();
    };
  }

  append(payload: Uint8Array): Fate {
    const faults = [...this.#faults];
    if (!this.hasLeader) return { kind: this.#random.chance(0.5) ? "refused" : "dropped" };
    const index = this.#store(payload);
    if (faults.some(({ doubled }) => this.#random.chance(doubled ?? 0))) this.#store(payload);
    return { kind: "stored", index, acknowledged: !faults.some(({ ackLoss }) => this.#random.chance(ackLoss ?? 0)) };
  }

  /** Records after `after`, at most `most`; undefined when some of them are gone. */
  read(after: number, most: number): { readonly index: number; readonly payload: Uint8Array }[] | undefined {
    if (after < this.#base || after > this.lastIndex) return undefined;
    const from = after - this.#base;
    return this.#records.slice(from, from + most).map((payload, n) => ({ index: after + n + 1, payload }));
  }

  truncate(index: number): void {
    if (index > this.lastIndex) throw new RangeError(`cannot truncate to ${index}: the log ends at ${this.lastIndex}`);
    if (index <= this.#base) return;
    this.#records = this.#records.slice(index - this.#base);
    this.#base = index;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #store(payload: Uint8Array): number {
    this.#records.push(payload);
    this.onStored(this.lastIndex, payload);
    this.#changed();
    return this.lastIndex;
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
