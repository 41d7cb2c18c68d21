import type { LogIdentity } from "@steppe/log";
import type { ApartOptions } from "./apart.ts";

export interface CompactionOptions extends ApartOptions {
  readonly region: string;
  readonly log: LogIdentity;
  /** Index of the snapshot in the folder to begin with; undefined: begin with nothing. */
  readonly from: number | undefined;
  /** The state that the snapshot is to hold: index and digest as the replica had them. */
  readonly index: number;
  readonly digest: number;
}

/** What its process is told. */
export interface ProcessOptions extends CompactionOptions {
  /** Folder of the journal to read; without one, its bytes come by the standard input. */
  readonly journal: string | undefined;
}
