import type { Outcome } from "@steppe/proto";

/** A repeat is recognised for this long, log time. Far beyond any retry: clients give up in seconds, a forward in five. */
export const REMEMBER_NS = 10 * 60 * 1e9;
/** And at most so many, so that a flood of writes bounds memory (about 200 bytes each). */
export const REMEMBER_MAX = 262_144;

export interface Remembered {
  readonly time: number;
  readonly outcome: Outcome;
}

/** Outcomes of recent requests by request ID, oldest first. */
export class OutcomeTable {
  readonly byRequest: Map<string, Remembered> = new Map();

  get(requestId: string): Outcome | undefined {
    return this.byRequest.get(requestId)?.outcome;
  }

  remember(requestId: string, outcome: Outcome, time: number): void {
    this.byRequest.set(requestId, { time, outcome });
    for (const [id, oldest] of this.byRequest) {
      if (this.byRequest.size <= REMEMBER_MAX && oldest.time > time - REMEMBER_NS) return;
      this.byRequest.delete(id);
    }
  }
}
