import { deriveId, type ErrorCode } from "@steppe/model";
import { Outcome } from "@steppe/proto";
import type { Changes } from "./changes.ts";
import type { Moment } from "./tables/allocations.ts";

/** The circumstances in which one command applies. */
export interface Step {
  readonly index: number;
  /** Log time, unix nanoseconds. */
  readonly time: number;
  /** The same two, as one object for whatever keeps when it was written. */
  readonly moment: Moment;
  readonly changes: Changes;
  /** A fresh id, the same one on every replica. */
  mint(): string;
}

export function createStep(index: number, time: number, seed: Uint8Array, changes: Changes): Step {
  let minted = 0;
  return { index, time, moment: { index, time }, changes, mint: () => deriveId(seed, minted++) };
}

/** Thousands are remembered, and most have none of what is in lists: those are shared. */
const BLANK: Readonly<Outcome> = Object.freeze(Outcome.create());
for (const value of Object.values(BLANK)) if (Array.isArray(value)) Object.freeze(value);

/** The command took effect (or had nothing to do). */
export function done(step: Step, fields: Partial<Outcome> = {}): Outcome {
  return { ...BLANK, Index: step.index, ...fields };
}

/** The command changed nothing, and why. */
export function refuse(step: Step, code: ErrorCode, message: string): Outcome {
  return { ...BLANK, Index: step.index, Refusal: { Code: code, Message: message } };
}
