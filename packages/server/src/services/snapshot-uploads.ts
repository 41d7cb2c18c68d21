// Snapshots that come piece by piece, each in a call of its own.
//
// 1. Pieces are taken in the order of the file; one that comes again, or is missing, ends the upload.
// 2. A piece is answered when it was taken in, so that no more than one is in memory.
// 3. An upload that stands still is given up: its sender is gone.
import { type Clock, SteppeError } from "@steppe/model";
import type { SnapshotPiece } from "@steppe/proto";

const IDLE_MAX_MS = 60_000;

export interface UploadParts {
  readonly clock: Clock;
  id(): string;
  /** Resolves with the index of the state when it was replaced. */
  restore(file: AsyncIterable<Uint8Array>): Promise<number>;
}

export class SnapshotUploads {
  readonly #parts: UploadParts;
  readonly #open: Map<string, Upload> = new Map();

  constructor(parts: UploadParts) {
    this.#parts = parts;
  }

  /** Rejects as `restore` does, and with `refused` for a piece that does not go on where the last one ended. */
  async take({ UploadID, Offset, Data, End }: SnapshotPiece): Promise<{ UploadID: string; Index: number }> {
    const [id, upload] = UploadID === "" ? this.#begin() : [UploadID, this.#open.get(UploadID)];
    if (upload === undefined)
      throw new SteppeError("refused", "this upload of a snapshot is not known, or was given up");
    const isNext = Offset === upload.bytes;
    if (!isNext) upload.fail(new SteppeError("refused", `want offset ${upload.bytes} of the snapshot, not ${Offset}`));
    else if (End) upload.end();
    else upload.push(Data);
    const Index = await (isNext && !End ? Promise.race([upload.taken(), upload.restored]) : upload.restored);
    return { UploadID: id, Index: End ? Number(Index) : 0 };
  }

  #begin(): [string, Upload] {
    const id = this.#parts.id();
    const upload = new Upload(this.#parts);
    this.#open.set(id, upload);
    const forget = () => void this.#open.delete(id);
    upload.restored.then(forget, forget);
    return [id, upload];
  }
}

class Upload {
  bytes = 0;
  readonly restored: Promise<number>;
  readonly #clock: Clock;
  #piece: Uint8Array | undefined;
  #ended = false;
  #error: unknown;
  #wake: () => void = () => undefined;
  #taken: () => void = () => undefined;

  constructor({ clock, restore }: UploadParts) {
    this.#clock = clock;
    this.restored = restore(this.#pieces());
    // Told to whoever sends the next piece.
    this.restored.catch(() => undefined);
  }

  push(piece: Uint8Array): void {
    this.#piece = piece;
    this.bytes += piece.length;
    this.#wake();
  }

  /** Resolves when the last piece was taken in. */
  taken(): Promise<void> {
    return new Promise((resolve) => {
      this.#taken = resolve;
      if (this.#piece === undefined) resolve();
    });
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  fail(error: unknown): void {
    this.#error = error;
    this.#wake();
  }

  async *#pieces(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const piece = this.#piece;
      if (piece !== undefined) {
        this.#piece = undefined;
        this.#taken();
        yield piece;
      } else if (this.#ended) return;
      else await this.#woken();
    }
  }

  async #woken(): Promise<void> {
    const done = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const idle = this.#clock.after(IDLE_MAX_MS, done.signal).then(
      () => this.fail(new SteppeError("refused", "the sender of the snapshot is gone")),
      // Cut short: there is a piece.
      () => undefined,
    );
    await Promise.race([woken, idle]);
    done.abort();
  }
}
