import { DEPLOYMENT_DESCRIPTIONS, jobDeleted } from "@steppe/model";
import type { DeregisterJob, Outcome } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, type Step } from "../step.ts";
import { isOpen } from "../tables/evaluations.ts";
import type { JobState } from "../tables/jobs.ts";
import { cancelWaiting } from "./blocked-evaluations.ts";
import { createEvaluation } from "./create-evaluation.ts";
import { cancelActive } from "./deployment-course.ts";

/** Stops a job, or with Purge removes it and all it had. An unknown job is no error. */
export function deregisterJob(state: State, step: Step, command: DeregisterJob): Outcome {
  const job = state.jobs.get(command.Namespace, command.JobID);
  if (job === undefined) return done(step);
  if (command.Purge) closeEvaluations(state, step, job);
  const spec = job.job;
  if (command.NoShutdownDelay) hurry(job);
  if (command.Purge) state.removeJob(step, job);
  else stop(state, step, job);
  // A stopped job waits for neither room nor time, and would not be dead while it did.
  cancelWaiting(state, step, command, `job ${command.JobID} stopped`);
  const evaluates = spec.Periodic === undefined && spec.ParameterizedJob === undefined;
  const current = command.Purge ? { ...spec, JobModifyIndex: step.index } : job.job;
  const evaluation = evaluates
    ? createEvaluation(state, step, current, "job-deregister", { Priority: command.EvalPriority || spec.Priority })
    : undefined;
  if (!command.Purge) state.refreshStatus(step, job);
  return done(step, {
    EvalID: evaluation?.ID ?? "",
    EvalCreateIndex: step.index,
    JobModifyIndex: step.index,
  });
}

function stop(state: State, step: Step, job: JobState): void {
  cancelActive(state, step, job, DEPLOYMENT_DESCRIPTIONS.stoppedJob);
  const { Version } = job.job;
  job.push({
    ...job.job,
    ...{ Stop: true, Version: Version + 1, ModifyIndex: step.index, JobModifyIndex: step.index, SubmitTime: step.time },
    ...{ VersionTag: undefined, Stable: false },
  });
  state.jobs.classify(job);
  state.touchJob(step, job);
}

/** Node agents hear of it with the stop that the scheduler gives, or that they are gone, so nothing else has to know yet. */
function hurry(job: JobState): void {
  for (const allocation of job.allocations) if (!allocation.terminal) allocation.amend({ NoShutdownDelay: true });
}

/** Open evaluations of a purged job have nothing left to decide. */
function closeEvaluations(state: State, step: Step, job: JobState): void {
  const { Namespace, ID } = job.job;
  for (const id of state.evaluations.ofJob(Namespace, ID)?.ids ?? []) {
    const evaluation = state.evaluations.get(id);
    if (evaluation === undefined || !isOpen(evaluation)) continue;
    state.putEvaluation(step, {
      ...evaluation,
      Status: "complete",
      StatusDescription: jobDeleted(ID),
      ModifyIndex: step.index,
      ModifyTime: step.time,
    });
  }
}
