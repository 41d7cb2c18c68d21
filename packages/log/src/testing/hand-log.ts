import { Entry } from "@steppe/proto";
import { AppendError, type LogRecord, PayloadTooLargeError, type ReplicatedLog } from "../log.ts";

export interface HandAppend {
  readonly payload: Uint8Array;
  readonly entry: Entry;
  /** Acknowledges it, and with `show` (the default) lets it come up for the readers. */
  store(show?: boolean): number;
  /** Rejects it; the record may be shown later by `show`. */
  lose(outcome: "unknown" | "refused"): void;
  /** Lets it come up for the readers, acknowledged or not. */
  show(): number;
}

/** A log whose every append is answered by the test. */
export class HandLog implements ReplicatedLog {
  payloadMax = 64 * 1024;
  /** What `append` really takes, as when it shrank a moment ago. */
  appendMax = 64 * 1024;
  silence = 0;
  /** Refuses every append at once, as when the connection is down. */
  refusing = false;
  /** All appends so far, the oldest first. */
  readonly appends: HandAppend[] = [];
  #records: LogRecord[] = [];
  #readers = new Set<() => void>();

  append(payload: Uint8Array): Promise<number> {
    if (payload.length > this.appendMax)
      return Promise.reject(new PayloadTooLargeError(payload.length, this.appendMax));
    if (this.refusing) return Promise.reject(new AppendError("refused", "refused by the test"));
    return new Promise((resolve, reject) => {
      const show = () => {
        const index = this.#records.length + 1;
        this.#records.push({ index, payload });
        for (const read of this.#readers) read();
        return index;
      };
      this.appends.push({
        payload,
        entry: Entry.decode(payload),
        show,
        store(shown = true) {
          const index = shown ? show() : 0;
          resolve(index);
          return index;
        },
        lose: (outcome) => reject(new AppendError(outcome, `lost by the test: ${outcome}`)),
      });
    });
  }

  tail(after: number, deliver: (records: readonly LogRecord[]) => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let next = after;
      const read = () => {
        const records = this.#records.slice(next);
        next = this.#records.length;
        try {
          if (records.length > 0) deliver(records);
        } catch (error) {
          reject(error);
        }
      };
      this.#readers.add(read);
      signal.addEventListener("abort", () => {
        this.#readers.delete(read);
        resolve();
      });
      read();
    });
  }

  async lastIndex(): Promise<number> {
    return this.#records.length;
  }

  async firstIndex(): Promise<number> {
    return 1;
  }

  async truncate(): Promise<void> {}

  async saveSnapshot(): Promise<void> {}

  async loadSnapshot(): Promise<undefined> {
    return undefined;
  }

  silenceMs(): number {
    return this.silence;
  }

  async close(): Promise<void> {}
}
