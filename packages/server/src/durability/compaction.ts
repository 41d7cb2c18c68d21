/** What `compactor.ts` and its process say to each other. Everything here survives JSON. */
import type { LogIdentity } from "@steppe/log";

export interface CompactionOptions {
  readonly region: string;
  readonly log: LogIdentity;
  /** Index of the snapshot in the folder to begin with; undefined: begin with nothing. */
  readonly from: number | undefined;
  /** Of the snapshots. */
  readonly folder: string;
  /** Made beside those that serve, not behind them. */
  readonly urgent: boolean;
  /** The state that the snapshot is to hold: index and digest as the replica had them. */
  readonly index: number;
  readonly digest: number;
}

/** The only argument of the process. */
export interface ProcessOptions extends CompactionOptions {
  /** Folder of the journal to read; without one, its bytes come by the standard input. */
  readonly journal: string | undefined;
}

export type FromProcess = { readonly kind: "written" } | { readonly kind: "failed"; readonly message: string };
