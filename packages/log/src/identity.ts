import { crc32 } from "node:zlib";

/**
 * Which log a region follows. A log that was lost is followed by another, of a larger epoch, whose
 * records begin behind `base`: no index is given out twice.
 */
export interface LogIdentity {
  /** 0 for a region's first log; each rebuild adds one. */
  readonly epoch: number;
  /** Tells two logs of one epoch apart; empty for a first log. */
  readonly id: string;
  /** Index before the first record. */
  readonly base: number;
}

export function sameLog(a: LogIdentity, b: LogIdentity): boolean {
  return a.epoch === b.epoch && a.id === b.id && a.base === b.base;
}

/** A record by what can be compared over a network. */
export interface RecordMark {
  readonly index: number;
  readonly crc: number;
}

export function markOf({ index, payload }: { readonly index: number; readonly payload: Uint8Array }): RecordMark {
  return { index, crc: crc32(payload) };
}
