// What versions before 0227e0e did: registrations of one job that came in one log entry were told one index. The checker
// objects, and rightly. A history that it objects to for nothing else is explained by that.
import {
  checkLinearizable,
  type JobCall,
  type JobRegister,
  type JobResult,
  jobRegister,
  type Model,
} from "@steppe/sim";
import type { Step } from "./load.ts";

/** Two acknowledged registrations of a job that were told one index. */
export interface SharedIndex {
  readonly key: string;
  readonly index: number;
  readonly marks: readonly string[];
  /** When the last of them was answered. */
  readonly at: number;
}

/** The same register, where registrations may follow each other at one index. */
const sharingRegister: Model<JobRegister, JobCall, JobResult> = {
  ...jobRegister,
  step(job, call, result) {
    const exact = jobRegister.step(job, call, result);
    if (exact !== undefined || call.op !== "register" || result === undefined || !("applied" in result)) return exact;
    const sameEntry = result.applied && result.index !== 0 && result.index === job.index;
    return sameEntry ? { ...job, mark: call.mark, stopped: false } : undefined;
  },
};

/** All pairs (or more) in the history, and whether it is linearizable when those are allowed. */
export function sharedIndexes(history: readonly Step[]): {
  readonly shared: readonly SharedIndex[];
  readonly explained: boolean;
} {
  const told = new Map<string, { marks: string[]; at: number; key: string; index: number }>();
  for (const { key, call, result, end } of history) {
    if ((call.op !== "register" && call.op !== "cas") || result === undefined || !("applied" in result)) continue;
    if (!result.applied) continue;
    const id = `${key} ${result.index}`;
    const known = told.get(id) ?? { key, index: result.index, marks: [], at: 0 };
    told.set(id, { ...known, marks: [...known.marks, call.mark], at: Math.max(known.at, end ?? 0) });
  }
  const shared = [...told.values()].filter(({ marks }) => marks.length > 1);
  return { shared, explained: checkLinearizable(history, sharingRegister).ok };
}
