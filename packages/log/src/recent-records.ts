import { Fifo } from "@steppe/model";
import type { LogRecord } from "./log.ts";

/** The newest records of a log, dense and ascending, as many as fit into `bytesMax`. */
export class RecentRecords {
  readonly #bytesMax: number;
  readonly #records = new Fifo<LogRecord>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** `record` must follow the last one pushed. */
  push(record: LogRecord): void {
    this.#records.push(record);
    this.#bytes += record.payload.length;
    while (this.#bytes > this.#bytesMax && this.#records.length > 1) this.#dropOldest();
  }

  /** Every record from `index` on, or undefined when the first of them is not held. */
  from(index: number): LogRecord[] | undefined {
    const oldest = this.#records.first;
    if (oldest === undefined || index < oldest.index) return undefined;
    return this.#records.from(index - oldest.index);
  }

  dropThrough(index: number): void {
    while ((this.#records.first?.index ?? Number.POSITIVE_INFINITY) <= index) this.#dropOldest();
  }

  #dropOldest(): void {
    this.#bytes -= this.#records.shift()?.payload.length ?? 0;
  }
}
