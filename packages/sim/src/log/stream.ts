/** One log of a region, as JetStream keeps it: records by index. Knows nothing of processes, nor of faults. */
import type { LogIdentity, LogRecord } from "@steppe/log";
import type { Tip } from "../world/witness.ts";

export class LogStream {
  readonly identity: LogIdentity;
  /** Another for each stream that is made, whatever its name. */
  readonly created: string;
  /** It takes no more records. */
  sealed = false;
  /** What the log begins with, as the witness has it. */
  readonly #origin: Tip;
  #records: { readonly payload: Uint8Array; readonly tip: Tip }[] = [];
  /** Index before the oldest record kept. */
  #dropped: number;

  constructor(identity: LogIdentity, created: string, origin: Tip) {
    this.identity = identity;
    this.created = created;
    this.#origin = origin;
    this.#dropped = identity.base;
  }

  get lastIndex(): number {
    return this.#dropped + this.#records.length;
  }

  get firstIndex(): number {
    return this.#dropped + 1;
  }

  /** All of it, as the witness has it. */
  get tip(): Tip {
    return this.#records.at(-1)?.tip ?? this.#origin;
  }

  add(payload: Uint8Array, tip: Tip): void {
    this.#records.push({ payload, tip });
  }

  /** Records after `after`, at most `most`; undefined when some of them are gone. */
  read(after: number, most: number): LogRecord[] | undefined {
    if (after < this.#dropped || after > this.lastIndex) return undefined;
    const from = after - this.#dropped;
    return this.#records.slice(from, from + most).map(({ payload }, n) => ({ index: after + n + 1, payload }));
  }

  at(index: number): LogRecord | undefined {
    return this.read(index - 1, 1)?.[0];
  }

  truncate(index: number): void {
    if (index > this.lastIndex) throw new RangeError(`cannot truncate to ${index}: the log ends at ${this.lastIndex}`);
    if (index <= this.#dropped) return;
    this.#records = this.#records.slice(index - this.#dropped);
    this.#dropped = index;
  }

  /** Loses all records behind that index, of which one at least is kept. */
  loseTail(last: number): void {
    this.#records.length = last - this.#dropped;
  }

  /** As it was when it was made, made again. */
  emptied(created: string): LogStream {
    return new LogStream(this.identity, created, this.#origin);
  }

  copy(): LogStream {
    const copy = new LogStream(this.identity, this.created, this.#origin);
    copy.#records = [...this.#records];
    copy.#dropped = this.#dropped;
    copy.sealed = this.sealed;
    return copy;
  }
}
