import type { LogRecord } from "./log.ts";

/** The newest records of a log, dense and ascending, as many as fit into `bytesMax`. */
export class RecentRecords {
  readonly #bytesMax: number;
  #records: LogRecord[] = [];
  /** Position of the oldest in `#records`; what is before it is forgotten in bulk. */
  #start = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** `record` must follow the last one pushed. */
  push(record: LogRecord): void {
    this.#records.push(record);
    this.#bytes += record.payload.length;
    while (this.#bytes > this.#bytesMax && this.#start < this.#records.length - 1) this.#dropOldest();
    this.#compact();
  }

  /** Every record from `index` on, or undefined when the first of them is not held. */
  from(index: number): LogRecord[] | undefined {
    const oldest = this.#records[this.#start];
    if (oldest === undefined || index < oldest.index) return undefined;
    return this.#records.slice(this.#start + index - oldest.index);
  }

  dropThrough(index: number): void {
    while ((this.#records[this.#start]?.index ?? Number.POSITIVE_INFINITY) <= index) this.#dropOldest();
    this.#compact();
  }

  #dropOldest(): void {
    this.#bytes -= this.#records[this.#start]?.payload.length ?? 0;
    this.#start++;
  }

  #compact(): void {
    if (this.#start < 1024 || this.#start * 2 < this.#records.length) return;
    this.#records = this.#records.slice(this.#start);
    this.#start = 0;
  }
}
