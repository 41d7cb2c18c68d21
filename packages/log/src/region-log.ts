import type { LogIdentity, RecordMark } from "./identity.ts";
import type { ReplicatedLog } from "./log.ts";

/** Where a log begins and ends. */
export interface LogSpan {
  /** Index of the oldest record kept; one more than the newest when there is none. */
  readonly first: number;
  readonly last: number;
}

/** A log of a region, which may have had others before, and is followed by another when it is lost. */
export interface RegionLog extends ReplicatedLog {
  readonly identity: LogIdentity;

  /**
   * Where it stands, as whoever orders it says now, whatever this process saw of it before; undefined when it is
   * gone. Rejects with `LogGapError` when another one followed it.
   */
  span(signal?: AbortSignal): Promise<LogSpan | undefined>;

  /** The record at an index; undefined when the log does not have it. */
  markAt(index: number, signal?: AbortSignal): Promise<RecordMark | undefined>;

  /**
   * Calls `listener` each time the log may have become another one unseen: the connection to it was lost, or
   * somebody else orders it now. Returns the way to stop that.
   */
  onBreak(listener: (why: string) => void): () => void;
}
