import { dispatchedChild, dispatchProblem } from "@steppe/model";
import type { DispatchJob, Job, Outcome } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import type { JobState } from "../tables/jobs.ts";
import { createEvaluation } from "./create-evaluation.ts";
import { putJob } from "./register-job.ts";

/** Starts one child of a parameterized job. A token that a child was started with starts no other. */
export function dispatchJob(state: State, step: Step, command: DispatchJob): Outcome {
  const template = state.jobs.get(command.Namespace, command.JobID);
  if (template === undefined) return refuse(step, "refused", "parameterized job not found");
  const problem = dispatchProblem(template.job, command);
  if (problem !== undefined) return refuse(step, "refused", problem);
  const known = childOfToken(state, template, command.IdempotencyToken);
  if (known !== undefined) return done(step, { JobID: known.ID, JobCreateIndex: known.CreateIndex });

  let child = dispatchedChild(template.job, command, step.time, step.mint());
  // Eight digits of the id leave room for chance.
  while (state.jobs.get(child.Namespace, child.ID) !== undefined) {
    child = dispatchedChild(template.job, command, step.time, step.mint());
  }
  const { job } = putJob(state, step, child, undefined);
  const evaluation = job.Periodic === undefined ? createEvaluation(state, step, job, "job-register") : undefined;
  state.refreshStatus(step, state.jobs.get(job.Namespace, job.ID) as JobState);
  return done(step, {
    EvalID: evaluation?.ID ?? "",
    EvalCreateIndex: evaluation?.CreateIndex ?? 0,
    JobModifyIndex: job.JobModifyIndex,
    JobID: job.ID,
    JobCreateIndex: job.CreateIndex,
  });
}

function childOfToken(state: State, template: JobState, token: string): Job | undefined {
  if (token === "") return undefined;
  for (const key of template.children) {
    const child = state.jobs.byKey.get(key)?.job;
    if (child?.DispatchIdempotencyToken === token) return child;
  }
  return undefined;
}
