import type { Outcome, StopAllocation } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import { createEvaluation } from "./create-evaluation.ts";

/** The allocation is to leave its node; the scheduler stops it and places another, as it does when a node drains. */
export function stopAllocation(state: State, step: Step, { AllocID, NoShutdownDelay }: StopAllocation): Outcome {
  const allocation = state.allocations.get(AllocID);
  const job = allocation && state.jobs.get(allocation.Namespace, allocation.JobID);
  if (allocation === undefined || job === undefined) return refuse(step, "not-found", "allocation not found");
  if (!allocation.terminal) {
    state.changeAllocation(step, allocation, false, (it) => {
      it.amend({ Migrate: true, NoShutdownDelay });
    });
  }
  const evaluation = createEvaluation(state, step, job.job, "alloc-stop");
  state.refreshStatus(step, job);
  return done(step, { EvalID: evaluation.ID, EvalCreateIndex: step.index });
}
