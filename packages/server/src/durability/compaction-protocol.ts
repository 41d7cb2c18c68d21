/** What `compactor.ts` and its thread say to each other. Everything here survives structured clone. */
import type { ReplayOptions } from "./snapshot-replay.ts";

export interface ThreadOptions extends ReplayOptions {
  /** Of the snapshots. */
  readonly folder: string;
  /** Made beside those that serve, not behind them. */
  readonly urgent: boolean;
}

export type ToThread =
  /** What follows, in order. */
  | { readonly kind: "entries"; readonly first: number; readonly payloads: readonly Uint8Array[] }
  /** Write the snapshot, if the state is this one. */
  | { readonly kind: "write"; readonly index: number; readonly digest: number };

export type FromThread =
  /** It is ready for the entry behind this index. */
  | { readonly kind: "ready"; readonly index: number }
  | { readonly kind: "written" }
  | { readonly kind: "failed"; readonly message: string };
