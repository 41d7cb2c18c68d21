import type { EvaluateJob, Outcome } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import { createEvaluation } from "./create-evaluation.ts";

/** Makes a new evaluation of a job as it stands. */
export function evaluateJob(state: State, step: Step, command: EvaluateJob): Outcome {
  const job = state.jobs.get(command.Namespace, command.JobID);
  if (job === undefined) return refuse(step, "refused", "job not found");
  if (job.job.Periodic !== undefined) return refuse(step, "refused", "can't evaluate periodic job");
  if (job.job.ParameterizedJob !== undefined) return refuse(step, "refused", "can't evaluate parameterized job");
  if (command.ForceReschedule) {
    for (const allocation of job.allocations) {
      if (allocation.ClientStatus !== "failed" || allocation.DesiredStatus !== "run") continue;
      state.changeAllocation(step, allocation, true, (it) => {
        it.amend({ ForceReschedule: true });
      });
    }
  }
  const evaluation = createEvaluation(state, step, job.job, "job-register");
  state.refreshStatus(step, job);
  return done(step, { EvalID: evaluation.ID, EvalCreateIndex: step.index, JobModifyIndex: job.job.ModifyIndex });
}
