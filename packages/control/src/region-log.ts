import type { Command, Entry, Outcome } from "@steppe/proto";
import type { Changes } from "@steppe/state";

/**
 * Adds a command to the region's log and resolves with its outcome once this process's own replica
 * has applied it. Rejects when the outcome did not come in time or will never come.
 */
export type Propose = (kind: NonNullable<Command["Kind"]>, options?: ProposeOptions) => Promise<Outcome>;

export interface ProposeOptions {
  readonly requestId?: string;
  /** Ends the wait, not the command. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** One log entry, after this process's replica applied it. */
export interface AppliedEntry {
  readonly index: number;
  readonly entry: Entry;
  readonly outcomes: readonly Outcome[];
  readonly changes: Changes;
}

/** Calls the listener after each entry, synchronously, until the returned function is called. */
export type OnApplied = (listener: (applied: AppliedEntry) => void) => () => void;

/** Resolves once the replica has applied `index`; rejects when the signal aborts first. */
export type WaitFor = (index: number, signal: AbortSignal) => Promise<void>;
