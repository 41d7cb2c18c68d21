import { DEPLOYMENT_DESCRIPTIONS, specChanged } from "@steppe/model";
import { type Job, JobSummary, type Outcome, type RegisterJob } from "@steppe/proto";
import { groupSummary } from "../job-summary.ts";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import { JobState } from "../tables/jobs.ts";
import type { StateView } from "../view.ts";
import { createEvaluation } from "./create-evaluation.ts";
import { cancelActive } from "./deployment-course.ts";

/** Creates or updates a job, with its evaluation, as one step. An unchanged specification makes no new version. */
export function registerJob(state: State, step: Step, command: RegisterJob): Outcome {
  const job = command.Job;
  if (job === undefined) return refuse(step, "invalid", "Job must be specified");
  if (command.CheckPlace) {
    const missing = missingPlace(state, job);
    if (missing !== undefined) return refuse(step, "refused", missing);
  }
  const existing = state.jobs.get(job.Namespace, job.ID);
  const conflict = indexConflict(command, existing) ?? (existing && transitionConflict(job, existing.job));
  if (conflict !== undefined) return refuse(step, "refused", conflict);
  if (existing !== undefined) preserve(job, existing.job, command);
  const stored = putJob(state, step, job, existing);
  if (command.Submission !== undefined) {
    const { Namespace, ID, Version, JobModifyIndex } = stored.job;
    stored.submit({ ...command.Submission, Namespace, JobID: ID, Version, JobModifyIndex });
  }
  const evaluates = job.Periodic === undefined && job.ParameterizedJob === undefined;
  const evaluation = evaluates
    ? createEvaluation(state, step, stored.job, "job-register", {
        Priority: command.EvalPriority || stored.job.Priority,
      })
    : undefined;
  state.refreshStatus(step, stored);
  return done(step, {
    EvalID: evaluation?.ID ?? "",
    EvalCreateIndex: evaluation?.CreateIndex ?? 0,
    JobModifyIndex: stored.job.JobModifyIndex,
  });
}

/** Why the job cannot be where it says, in the API's words. */
export function missingPlace(state: StateView, { ID, Namespace, NodePool }: Job): string | undefined {
  if (state.namespaces.get(Namespace) === undefined) {
    return `job ${quote(ID)} is in nonexistent namespace ${quote(Namespace)}`;
  }
  // Nodes that registered before there were pools have one that no table has.
  const exists =
    state.nodePools.get(NodePool) !== undefined || state.nodes.nodes.some((it) => it?.NodePool === NodePool);
  return exists ? undefined : `job ${quote(ID)} is in nonexistent node pool ${quote(NodePool)}`;
}

/** Writes the job as a new version where its specification differs from the newest one. */
export function putJob(state: State, step: Step, job: Job, existing: JobState | undefined): JobState {
  const next = nextVersion(job, existing?.job, step.index, step.time);
  if (next === existing?.job) return existing;
  state.parts.ofJob(next);
  if (existing === undefined) return createJob(state, step, next);
  cancelActive(state, step, existing, DEPLOYMENT_DESCRIPTIONS.newerJob);
  existing.push(next);
  if (job.Periodic !== undefined) existing.lastLaunch = step.time;
  const summary = state.changeSummary(step, existing);
  for (const group of job.TaskGroups) groupSummary(summary, group.Name);
  state.jobs.classify(existing);
  state.touchJob(step, existing);
  return existing;
}

/** The job as a registration at this index makes it. `before`, itself, when nothing of its specification changes. */
export function nextVersion(job: Job, before: Job | undefined, index: number, time: number): Job {
  if (before !== undefined && !before.Stop && !specChanged(before, job)) return before;
  return {
    ...job,
    ...{ CreateIndex: before?.CreateIndex ?? index, Version: before === undefined ? 0 : before.Version + 1 },
    ...{ Status: before?.Status ?? "", StatusDescription: "", Stop: false, Stable: false },
    ...{ ModifyIndex: index, JobModifyIndex: index, SubmitTime: time, VersionTag: undefined },
  };
}

function createJob(state: State, step: Step, job: Job): JobState {
  const summary: JobSummary = {
    ...JobSummary.create(),
    JobID: job.ID,
    Namespace: job.Namespace,
    CreateIndex: step.index,
    ModifyIndex: step.index,
  };
  for (const group of job.TaskGroups) groupSummary(summary, group.Name);
  const created = new JobState(job, summary);
  // The first tick is the first one after the registration.
  if (job.Periodic !== undefined) created.lastLaunch = step.time;
  state.jobs.add(created);
  state.touchJob(step, created);
  state.changeSummary(step, created);
  return created;
}

function indexConflict(
  { EnforceIndex, JobModifyIndex }: RegisterJob,
  existing: JobState | undefined,
): string | undefined {
  if (!EnforceIndex) return undefined;
  const text = `Enforcing job modify index ${JobModifyIndex}`;
  if (existing === undefined) return JobModifyIndex === 0 ? undefined : `${text}: job does not exist`;
  if (JobModifyIndex === 0) return `${text}: job already exists`;
  const has = existing.job.JobModifyIndex;
  return has === JobModifyIndex ? undefined : `${text}: job exists with conflicting job modify index: ${has}`;
}

/** Why the one job cannot become the other, in the API's words. */
export function transitionConflict(job: Job, before: Job): string | undefined {
  if (before.Type !== job.Type) return `cannot update job from type ${quote(before.Type)} to ${quote(job.Type)}`;
  return (
    formConflict("periodic", before.Periodic !== undefined, job.Periodic !== undefined) ??
    formConflict("parameterized", before.ParameterizedJob !== undefined, job.ParameterizedJob !== undefined)
  );
}

function formConflict(form: string, was: boolean, is: boolean): string | undefined {
  if (was === is) return undefined;
  return was ? `cannot update ${form} job to being non-${form}` : `cannot update non-${form} job to being ${form}`;
}

const quote = (text: string) => JSON.stringify(text);

/** Keeps what an autoscaler set, when the caller asks for it. */
function preserve(job: Job, before: Job, { PreserveCounts, PreserveResources }: RegisterJob): void {
  for (const group of job.TaskGroups) {
    const old = before.TaskGroups.find(({ Name }) => Name === group.Name);
    if (old === undefined) continue;
    if (PreserveCounts) group.Count = old.Count;
    if (!PreserveResources) continue;
    for (const task of group.Tasks) {
      task.Resources = old.Tasks.find(({ Name }) => Name === task.Name)?.Resources ?? task.Resources;
    }
  }
}
