import type { RecordMark } from "./identity.ts";
import type { Report } from "./settle/decide.ts";

/**
 * One region's ordered log of opaque records. Every replica that reads it sees the same records
 * at the same indexes.
 *
 * - Indexes are positive, dense and ascending: record n is followed by n + 1. They start at
 *   `base + 1`; a log that was rebuilt has a larger base, so that indexes never go back.
 * - `append` is acknowledged only when the log will not lose the record. When it rejects with
 *   `AppendError` and `outcome` is "unknown", the record may or may not come up later; the caller
 *   sends the same bytes again, and the state machine tells a repeat by its request IDs. With
 *   "refused" it never comes up.
 * - Records are immutable: neither side may change a payload after handing it over.
 */
export interface ReplicatedLog {
  /** Largest payload that `append` takes, bytes. */
  readonly payloadMax: number;

  /** Adds a record; resolves with its index. `signal` ends the wait, not the append. */
  append(payload: Uint8Array, signal?: AbortSignal): Promise<number>;

  /**
   * Delivers every record after index `after`, in order, without gaps, until the signal aborts
   * (then it resolves). `deliver` is called again only when its last promise is resolved; `kept` says when
   * this process has the records on its own disk too, which may not be yet. Survives lost connections by itself. Rejects with `LogGapError` when records it should deliver are no
   * longer there (start from a newer snapshot), the log ends before `after` (its tail was lost), or
   * it holds another record than `seen`, the one at `after` as the caller had it.
   */
  tail(
    after: number,
    deliver: (records: readonly LogRecord[], kept?: Promise<void>) => void | Promise<void>,
    signal: AbortSignal,
    seen?: RecordMark,
  ): Promise<void>;

  /** Index of the newest record at some moment after the call, asked of whoever orders the log. */
  lastIndex(signal?: AbortSignal): Promise<number>;

  /** Index of the oldest record still kept; one more than the newest when there is none. */
  firstIndex(signal?: AbortSignal): Promise<number>;

  /** Drops the records up to and including `index`. Call it only behind a saved snapshot. */
  truncate(index: number): Promise<void>;

  /** Keeps `data`, the state at `index`, durably beside the log, in place of the last one. */
  saveSnapshot(index: number, data: SnapshotData): Promise<void>;

  /** The newest snapshot, or undefined when none was saved. */
  loadSnapshot(): Promise<{ readonly index: number; readonly data: Uint8Array } | undefined>;

  /** Where this process alone orders the log: its last index, told without asking. Elsewhere, and once closed, undefined. */
  readonly lastIndexHere?: number | undefined;

  /**
   * Milliseconds (monotonic) since this process last heard from the log; 0 while in touch, and while the log
   * chooses who orders it, which takes some seconds.
   */
  silenceMs(): number;

  /** Where copies of the log are kept, in any order. Absent: in this process alone. */
  replicas?(signal?: AbortSignal): Promise<readonly LogReplica[]>;

  close(): Promise<void>;
}

/** A process that did not hear from the log for so long is cut off: others are to be asked in its place. */
export const SILENCE_MAX_MS = 3000;

/** One copy of the log. */
export interface LogReplica {
  readonly name: string;
  readonly leader: boolean;
  /** Holds all that was acknowledged. */
  readonly current: boolean;
  readonly offline: boolean;
  /** Records behind the leader. */
  readonly lag: number;
  /** Milliseconds since the leader last heard from it; 0 for the leader. */
  readonly silentMs: number;
}

/** A snapshot's bytes: whole, or what gives them in pieces, as often as it is called. */
export type SnapshotData = Uint8Array | (() => AsyncIterable<Uint8Array>);

export interface LogRecord {
  readonly index: number;
  readonly payload: Uint8Array;
}

/** `unknown`: the record may still come up. `refused`: it never will. */
export class AppendError extends Error {
  readonly outcome: "unknown" | "refused";

  constructor(outcome: "unknown" | "refused", message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AppendError";
    this.outcome = outcome;
  }
}

export class PayloadTooLargeError extends Error {
  constructor(bytes: number, max: number) {
    super(`log record of ${bytes} bytes is larger than the limit of ${max} bytes`);
    this.name = "PayloadTooLargeError";
  }
}

/** The log does not hold what was applied, here or elsewhere. */
export class LogGapError extends Error {
  /** What another server holds that the log lacks, where that is what shows it. */
  readonly evidence: Report | undefined;

  constructor(message: string, evidence?: Report) {
    super(message);
    this.name = "LogGapError";
    this.evidence = evidence;
  }
}
