import { type Entry, Outcome } from "@steppe/proto";
import type { StateMachine } from "../machine.ts";

/**
 * A small state machine with the promises of the real one: it counts each request once and
 * answers a repeat with the first outcome. The change it reports is the requests it counted.
 */
export class TallyMachine implements StateMachine<readonly string[]> {
  index: number;
  /** Request IDs in the order in which they took effect. */
  readonly counted: string[] = [];
  readonly #outcomes = new Map<string, Outcome>();

  constructor(index = 0) {
    this.index = index;
  }

  apply(index: number, entry: Entry): { readonly outcomes: readonly Outcome[]; readonly changes: readonly string[] } {
    this.index = index;
    const changes: string[] = [];
    const outcomes = entry.Commands.map(({ RequestID }) => {
      let outcome = this.#outcomes.get(RequestID);
      if (outcome === undefined) {
        outcome = Outcome.create({ Index: index });
        this.#outcomes.set(RequestID, outcome);
        this.counted.push(RequestID);
        changes.push(RequestID);
      }
      return outcome;
    });
    return { outcomes, changes };
  }
}
