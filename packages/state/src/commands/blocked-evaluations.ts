import { blockedEvaluationExists } from "@steppe/model";
import type { Evaluation } from "@steppe/proto";
import type { State } from "../state.ts";
import type { Step } from "../step.ts";

interface JobName {
  readonly Namespace: string;
  readonly JobID: string;
}

/** Blocked evaluations of a job that have nothing to wait for any more. `keep` is one that has. */
export function cancelBlocked(state: State, step: Step, job: JobName, description: string, keep = ""): void {
  for (const id of state.evaluations.ofJob(job.Namespace, job.JobID)?.blocked ?? []) {
    if (id !== keep) cancel(state, step, id, description);
  }
}

/** Evaluations of a job that wait for room, or for their time. */
export function cancelWaiting(state: State, step: Step, job: JobName, description: string): void {
  cancelBlocked(state, step, job, description);
  for (const id of state.evaluations.ofJob(job.Namespace, job.JobID)?.ids ?? []) {
    const { Status, WaitUntil } = state.evaluations.get(id) ?? NO_EVALUATION;
    if (Status === "pending" && WaitUntil > step.time) cancel(state, step, id, description);
  }
}

const NO_EVALUATION = { Status: "", WaitUntil: 0 };

function cancel(state: State, step: Step, id: string, StatusDescription: string): void {
  const evaluation = state.evaluations.get(id);
  if (evaluation === undefined) return;
  const canceled = { Status: "canceled", StatusDescription };
  state.putEvaluation(step, { ...evaluation, ...canceled, ModifyIndex: step.index, ModifyTime: step.time });
}

/** A job waits in at most one evaluation: a new one takes the place of those that are there. */
export function supersedeBlocked(state: State, step: Step, blocked: Evaluation): void {
  cancelBlocked(state, step, blocked, blockedEvaluationExists(blocked.JobID), blocked.ID);
}
