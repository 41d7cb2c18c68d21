import type { Outcome, RevertJob, SetJobStability } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import { createEvaluation } from "./create-evaluation.ts";
import { markStable } from "./deployment-course.ts";
import { putJob } from "./register-job.ts";

/** Registers an older version again. Its specification becomes the newest version. */
export function revertJob(state: State, step: Step, command: RevertJob): Outcome {
  const { Namespace, JobID, JobVersion, EnforcePriorVersion } = command;
  const job = state.jobs.get(Namespace, JobID);
  if (job === undefined) return refuse(step, "refused", `job ${JSON.stringify(JobID)} not found`);
  const { Version } = job.job;
  if (JobVersion === Version) return refuse(step, "refused", "can't revert to current version");
  const target = job.version(JobVersion);
  if (target === undefined) return refuse(step, "refused", versionNotFound(command));
  if (EnforcePriorVersion !== undefined && EnforcePriorVersion !== Version) {
    return refuse(step, "refused", `Current job has version ${Version}; enforcing version ${EnforcePriorVersion}`);
  }
  const stored = putJob(state, step, target, job);
  const evaluates = stored.job.Periodic === undefined && stored.job.ParameterizedJob === undefined;
  const evaluation = evaluates ? createEvaluation(state, step, stored.job, "job-register") : undefined;
  state.refreshStatus(step, stored);
  return done(step, {
    EvalID: evaluation?.ID ?? "",
    EvalCreateIndex: evaluation?.CreateIndex ?? 0,
    JobModifyIndex: stored.job.JobModifyIndex,
  });
}

/** A user's word on whether a version is one to go back to. */
export function setJobStability(state: State, step: Step, command: SetJobStability): Outcome {
  const job = state.jobs.get(command.Namespace, command.JobID);
  if (job?.version(command.JobVersion) === undefined) return refuse(step, "refused", versionNotFound(command));
  markStable(state, step, job, command.JobVersion, command.Stable);
  return done(step);
}

function versionNotFound({ Namespace, JobID, JobVersion }: Pick<RevertJob, "Namespace" | "JobID" | "JobVersion">) {
  return `job ${JSON.stringify(JobID)} in namespace ${JSON.stringify(Namespace)} at version ${JobVersion} not found`;
}
