import type { Outcome, UpsertEvaluations } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import { isOpen } from "../tables/evaluations.ts";
import { termPassed } from "./lease.ts";

/** Evaluations as the leader decided. One that ended in the meantime stays ended. */
export function upsertEvaluations(state: State, step: Step, command: UpsertEvaluations): Outcome {
  if (termPassed(state, command.Term)) return refuse(step, "stale-term", "the lease term has passed");
  for (const evaluation of command.Evaluations) {
    const before = state.evaluations.get(evaluation.ID);
    if (before !== undefined && !isOpen(before)) continue;
    state.putEvaluation(step, {
      ...evaluation,
      CreateIndex: before?.CreateIndex ?? step.index,
      CreateTime: before?.CreateTime ?? step.time,
      ModifyIndex: step.index,
      ModifyTime: step.time,
    });
    const job = state.jobs.get(evaluation.Namespace, evaluation.JobID);
    if (job !== undefined) state.refreshStatus(step, job);
  }
  return done(step);
}
