import type { Clock } from "@steppe/model";

/** Part of a file as it is streamed. Also one without data, which tells of an event. */
export interface Frame {
  readonly File: string;
  /** Of the data in the file. */
  readonly Offset: number;
  readonly Data: Uint8Array;
  readonly FileEvent: string;
}

/** A reader that hears nothing for longer takes the connection for lost. */
const HEARTBEAT_MS = 1_000;
const HEARTBEAT = Buffer.from("{}");
const NOTHING_YET = new Uint8Array(0);

/** Writes frames as the API does: JSON objects one after the other, an empty one each second that brings none. */
export class FrameWriter {
  readonly #clock: Clock;
  readonly #plain: boolean;

  constructor(clock: Clock, plain: boolean) {
    this.#clock = clock;
    this.#plain = plain;
  }

  async *write(frames: AsyncGenerator<Frame, void>, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    // The reader is to know at once that there is something to wait for.
    yield NOTHING_YET;
    let next = frames.next();
    try {
      while (!signal.aborted) {
        const result = await this.#orHeartbeat(next, signal);
        if (result === undefined) {
          if (!this.#plain) yield HEARTBEAT;
          continue;
        }
        if (result.done === true) return;
        const piece = this.#plain ? result.value.Data : encode(result.value);
        if (piece.length > 0) yield piece;
        next = frames.next();
      }
    } finally {
      await frames.return(undefined);
    }
  }

  /** Undefined when it is time for a heartbeat. */
  async #orHeartbeat<T>(next: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    const done = new AbortController();
    const late = this.#clock.after(HEARTBEAT_MS, AbortSignal.any([signal, done.signal])).then(
      () => undefined,
      () => undefined,
    );
    try {
      return await Promise.race([next, late]);
    } finally {
      done.abort();
    }
  }
}

/** What is empty is left out. */
function encode({ File, Offset, Data, FileEvent }: Frame): Uint8Array {
  const fields = {
    ...(Offset > 0 && { Offset }),
    ...(Data.length > 0 && { Data: Buffer.from(Data).toString("base64") }),
    ...(File !== "" && { File }),
    ...(FileEvent !== "" && { FileEvent }),
  };
  return Buffer.from(JSON.stringify(fields));
}
