import type { Scorer } from "./scorer.ts";

/** Speaks against the nodes on which the allocation to be replaced failed before. */
export class ReschedulePenalty implements Scorer {
  readonly name = "node-reschedule-penalty";
  /** Set for one placement at a time; nearly always empty. */
  slots: readonly number[] = NONE;

  get isSilent(): boolean {
    return this.slots.length === 0;
  }

  score(slot: number): number {
    return this.slots.length > 0 && this.slots.includes(slot) ? -1 : Number.NaN;
  }
}

export const NONE: readonly number[] = [];
