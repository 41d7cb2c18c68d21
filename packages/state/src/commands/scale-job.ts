import type { Job, Outcome, ScaleJob, ScalingPolicy } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import { createEvaluation } from "./create-evaluation.ts";
import { activeDeployment } from "./deployment-course.ts";
import { putJob } from "./register-job.ts";

/** Sets a group's count as a new version of its job, and keeps what happened as an event of the group. */
export function scaleJob(state: State, step: Step, command: ScaleJob): Outcome {
  const job = state.jobs.get(command.Namespace, command.JobID);
  if (job === undefined) return refuse(step, "not-found", `job ${JSON.stringify(command.JobID)} not found`);
  const spec = job.job;
  const count = command.Count;
  if (count !== undefined && count > 1 && spec.Type === "system") {
    return refuse(step, "invalid", 'jobs of type "system" can only be scaled to 1 or 0');
  }
  const group = spec.TaskGroups.find(({ Name }) => Name === command.Group);
  if (group === undefined) {
    const name = JSON.stringify(command.Group);
    return refuse(step, "invalid", `task group ${name} specified for scaling does not exist in job`);
  }
  const event = { PreviousCount: group.Count ?? 1, Count: count, EvalID: undefined as string | undefined };
  let evaluation: { ID: string; CreateIndex: number } | undefined;
  if (count !== undefined) {
    const conflict = boundsConflict(group.Scaling, count);
    if (conflict !== undefined) return refuse(step, "invalid", conflict);
    if (spec.Stop) return refuse(step, "invalid", `job ${JSON.stringify(spec.ID)} is stopped`);
    if (activeDeployment(state, job) !== undefined) {
      return refuse(step, "invalid", "job scaling blocked due to active deployment");
    }
    putJob(state, step, withCount(spec, command.Group, count), job);
    const evaluates = spec.Periodic === undefined && (spec.ParameterizedJob === undefined || spec.Dispatched);
    if (evaluates) evaluation = createEvaluation(state, step, job.job, "job-scaling");
    event.EvalID = evaluation?.ID;
  }
  job.addScalingEvent(command.Group, {
    ...event,
    ...{ Message: command.Message, Error: command.Error, Meta: command.Meta },
    ...{ Time: step.time, CreateIndex: step.index },
  });
  state.touchScaling(step, job, command.Group);
  state.refreshStatus(step, job);
  return done(step, {
    EvalID: evaluation?.ID ?? "",
    EvalCreateIndex: evaluation?.CreateIndex ?? 0,
    JobModifyIndex: job.job.JobModifyIndex,
  });
}

function withCount(job: Job, groupName: string, Count: number): Job {
  const TaskGroups = job.TaskGroups.map((group) => (group.Name === groupName ? { ...group, Count } : group));
  return { ...job, TaskGroups };
}

function boundsConflict(policy: ScalingPolicy | undefined, count: number): string | undefined {
  if (policy === undefined) return undefined;
  const { Min = 0, Max } = policy;
  if (count < Min) return `group count was less than scaling policy minimum: ${count} < ${Min}`;
  if (Max !== undefined && count > Max) return `group count was greater than scaling policy maximum: ${count} > ${Max}`;
  return undefined;
}
