import type { LogRecord, ReplicatedLog, SnapshotData } from "@steppe/log";
import { LogGapError } from "@steppe/log";

/** A log in this process's memory: every append is acknowledged at once and comes up in the next turn. */
export class MemoryLog implements ReplicatedLog {
  readonly payloadMax: number = 1024 * 1024;
  #records: LogRecord[] = [];
  /** Index of the last record that was dropped. */
  #base = 0;
  #snapshot: { readonly index: number; readonly data: Uint8Array } | undefined;
  readonly #readers: Set<() => void> = new Set();

  async append(payload: Uint8Array): Promise<number> {
    const index = this.#base + this.#records.length + 1;
    this.#records.push({ index, payload });
    for (const wake of [...this.#readers]) wake();
    return index;
  }

  async tail(
    after: number,
    deliver: (records: readonly LogRecord[]) => void | Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    let next = after + 1;
    while (!signal.aborted) {
      if (next <= this.#base) throw new LogGapError(`record ${next} is no longer kept`);
      const records = this.#records.slice(next - this.#base - 1);
      next += records.length;
      if (records.length > 0) await deliver(records);
      else await this.#appended(signal);
    }
  }

  async lastIndex(): Promise<number> {
    return this.#base + this.#records.length;
  }

  async firstIndex(): Promise<number> {
    return this.#base + 1;
  }

  async truncate(index: number): Promise<void> {
    this.#records = this.#records.slice(Math.max(index - this.#base, 0));
    this.#base = Math.max(index, this.#base);
  }

  async saveSnapshot(index: number, data: SnapshotData): Promise<void> {
    const pieces: Uint8Array[] = [];
    if (typeof data === "function") for await (const piece of data()) pieces.push(piece);
    else pieces.push(data);
    this.#snapshot = { index, data: Buffer.concat(pieces) };
  }

  async loadSnapshot(): Promise<{ readonly index: number; readonly data: Uint8Array } | undefined> {
    return this.#snapshot;
  }

  silenceMs(): number {
    return 0;
  }

  async close(): Promise<void> {}

  #appended(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#readers.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#readers.add(wake);
      signal.addEventListener("abort", wake);
    });
  }
}
