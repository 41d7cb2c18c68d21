import type { Entry, Outcome } from "@steppe/proto";

/** What the applier needs of a state machine. `packages/state` provides it. */
export interface StateMachine<Changes> {
  /** Index of the last applied entry; 0 for a fresh state. */
  readonly index: number;
  /**
   * Moves the state on by one entry. Pure and synchronous; throws only when an invariant is broken,
   * and then the replica must stop.
   */
  apply(index: number, entry: Entry): { readonly outcomes: readonly Outcome[]; readonly changes: Changes };
}
