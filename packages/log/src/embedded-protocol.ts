/** What `embedded-log.ts` and its thread say to each other. Everything here survives structured clone. */

/** Appends carry no id: they are answered in the order they were sent, many at once. */
export type ToThread =
  | { readonly kind: "append"; readonly payload: Uint8Array }
  | { readonly kind: "call"; readonly id: number; readonly call: ThreadCall };

export type ThreadCall =
  | { readonly name: "read"; readonly from: number; readonly bytesMax: number }
  /** Records from..to as a journal has them, whole ones, as many as there is room for in memory that both sides share. */
  | { readonly name: "copy"; readonly from: number; readonly to: number; readonly into: Uint8Array }
  | { readonly name: "truncate"; readonly index: number }
  | { readonly name: "snapshot-chunk"; readonly snapshot: number; readonly n: number; readonly data: Uint8Array }
  | { readonly name: "snapshot-commit"; readonly head: SnapshotHead }
  | { readonly name: "snapshot-restart"; readonly head: SnapshotHead }
  | { readonly name: "snapshot-head" }
  | { readonly name: "snapshot-read"; readonly snapshot: number; readonly n: number }
  | { readonly name: "close" };

/** What each call is answered with. */
export interface ThreadAnswer {
  read: Uint8Array[];
  copy: Copied;
  truncate: number;
  "snapshot-chunk": undefined;
  "snapshot-commit": undefined;
  "snapshot-restart": undefined;
  "snapshot-head": SnapshotHead | undefined;
  "snapshot-read": Uint8Array;
  close: undefined;
}

export interface Copied {
  readonly records: number;
  readonly bytes: number;
}

export interface SnapshotHead {
  readonly index: number;
  /** Names the rows of this snapshot, or its file; larger than every earlier one. */
  readonly snapshot: number;
  /** How many rows it is in. */
  readonly chunks: number;
  /** Of all rows together, or of the file. */
  readonly bytes: number;
  /** It is a snapshot file beside the log's own, and has no rows. */
  readonly isFile?: boolean;
}

/** Indexes of the oldest record kept and of the newest; `first` is `last + 1` when there is none. */
export interface LogBounds {
  readonly first: number;
  readonly last: number;
}

export type FromThread =
  | { readonly kind: "opened"; readonly bounds: LogBounds; readonly snapshot: SnapshotHead | undefined }
  | { readonly kind: "open-failed"; readonly message: string }
  /** The oldest `count` unanswered appends are durable, from index `first` on. */
  | { readonly kind: "appended"; readonly first: number; readonly count: number }
  | {
      readonly kind: "append-failed";
      readonly count: number;
      readonly outcome: "unknown" | "refused";
      readonly message: string;
    }
  | { readonly kind: "answer"; readonly id: number; readonly value: ThreadAnswer[keyof ThreadAnswer] }
  | { readonly kind: "call-failed"; readonly id: number; readonly message: string };

export interface ThreadOptions {
  readonly path: string;
  /** First index of a new log, less one. Ignored when the log exists. */
  readonly base: number;
}
