import { blockedEvaluationExists } from "@steppe/model";
import type { Evaluation } from "@steppe/proto";
import type { State } from "../state.ts";
import type { Step } from "../step.ts";

/** Blocked evaluations of a job that have nothing to wait for any more. `keep` is one that has. */
export function cancelBlocked(
  state: State,
  step: Step,
  job: { readonly Namespace: string; readonly JobID: string },
  description: string,
  keep = "",
): void {
  for (const id of state.evaluations.ofJob(job.Namespace, job.JobID)?.blocked ?? []) {
    const evaluation = state.evaluations.get(id);
    if (evaluation === undefined || id === keep) continue;
    const canceled = { Status: "canceled", StatusDescription: description };
    state.putEvaluation(step, { ...evaluation, ...canceled, ModifyIndex: step.index, ModifyTime: step.time });
  }
}

/** A job waits in at most one evaluation: a new one takes the place of those that are there. */
export function supersedeBlocked(state: State, step: Step, blocked: Evaluation): void {
  cancelBlocked(state, step, blocked, blockedEvaluationExists(blocked.JobID), blocked.ID);
}
