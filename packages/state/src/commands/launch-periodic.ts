import { periodicChild } from "@steppe/model";
import type { LaunchPeriodic, Outcome } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import type { JobState } from "../tables/jobs.ts";
import { createEvaluation } from "./create-evaluation.ts";
import { termPassed } from "./lease.ts";
import { putJob } from "./register-job.ts";

const SECOND = 1e9;

/** Starts one child of a periodic job. A tick that was launched, or is overlapped, launches nothing. */
export function launchPeriodic(state: State, step: Step, command: LaunchPeriodic): Outcome {
  const parent = state.jobs.get(command.Namespace, command.JobID);
  if (!command.Forced && termPassed(state, command.Term))
    return refuse(step, "stale-term", "the lease term has passed");
  if (parent === undefined) return refuse(step, "refused", "job not found");
  if (parent.job.Periodic === undefined) return refuse(step, "refused", "can't force launch non-periodic job");
  if (parent.job.Stop) {
    const { ID, Namespace } = parent.job;
    return refuse(
      step,
      "refused",
      `force launch for job ${JSON.stringify(ID)} failed: can't force run non-tracked job ${ID} (${Namespace})`,
    );
  }
  if (!command.Forced && command.LaunchTime <= parent.lastLaunch) return done(step);
  if (!command.Forced) {
    parent.lastLaunch = command.LaunchTime;
    state.digest.number(command.LaunchTime);
  }
  if (!command.Forced && parent.job.Periodic.ProhibitOverlap && hasLiveChild(state, parent)) return done(step);
  let launchTime = command.LaunchTime;
  let child = periodicChild(parent.job, launchTime);
  while (state.jobs.get(child.Namespace, child.ID) !== undefined) {
    launchTime += SECOND;
    child = periodicChild(parent.job, launchTime);
  }
  const stored = putJob(state, step, child, undefined);
  const evaluation = createEvaluation(state, step, stored.job, "periodic-job");
  state.refreshStatus(step, stored);
  return done(step, {
    EvalID: evaluation.ID,
    EvalCreateIndex: step.index,
    JobModifyIndex: stored.job.JobModifyIndex,
    JobID: child.ID,
  });
}

function hasLiveChild(state: State, parent: JobState): boolean {
  for (const key of parent.children) {
    const child = state.jobs.byKey.get(key);
    if (child !== undefined && child.job.Status !== "dead") return true;
  }
  return false;
}
