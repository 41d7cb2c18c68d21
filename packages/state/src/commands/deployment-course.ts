// What moves a deployment along: its counts as its allocations come and report, and its status.
import { DEPLOYMENT_DESCRIPTIONS, specChanged } from "@steppe/model";
import type { Deployment, DeploymentState, Job } from "@steppe/proto";
import { newestStable, type State } from "../state.ts";
import type { Step } from "../step.ts";
import type { AllocationState } from "../tables/allocations.ts";
import type { DeploymentEntry } from "../tables/deployments.ts";
import type { JobState } from "../tables/jobs.ts";

/** The one deployment of a job that may still change what runs. */
export function activeDeployment(state: State, job: JobState): DeploymentEntry | undefined {
  const latest = state.deployments.latest(job.job.Namespace, job.job.ID);
  return latest?.active ? latest : undefined;
}

/** Changes its course; plans made before no longer hold. */
export function decide(state: State, step: Step, entry: DeploymentEntry, fields: Partial<Deployment>): void {
  entry.decidedIndex = step.index;
  state.putDeployment(step, { ...entry.deployment, ...fields });
}

export function cancelActive(state: State, step: Step, job: JobState, StatusDescription: string): void {
  const entry = activeDeployment(state, job);
  if (entry !== undefined) decide(state, step, entry, { Status: "cancelled", StatusDescription });
}

/** Ends it well; the version it brought is one to go back to. */
export function succeed(state: State, step: Step, entry: DeploymentEntry): void {
  decide(state, step, entry, { Status: "successful", StatusDescription: DEPLOYMENT_DESCRIPTIONS.successful });
  const { Namespace, JobID, JobCreateIndex, JobVersion } = entry.deployment;
  const job = state.jobs.get(Namespace, JobID);
  if (job?.job.CreateIndex === JobCreateIndex) markStable(state, step, job, JobVersion, true);
}

export function markStable(state: State, step: Step, job: JobState, version: number, stable: boolean): void {
  const before = job.version(version);
  if (before === undefined || before.Stable === stable) return;
  job.amendVersion(version, { Stable: stable, ModifyIndex: step.index });
  state.touchJob(step, job);
}

/** By group: what a plan placed, or updated in place, for a deployment. */
export type Joined = Map<string, { placed: number; readonly canaries: string[] }>;

/** Makes an allocation part of a deployment; `countJoined` follows, once for the whole plan. */
export function joinDeployment(entry: DeploymentEntry, allocation: AllocationState, joined: Joined): void {
  const { TaskGroup } = allocation;
  allocation.DeploymentID = entry.deployment.ID;
  entry.add(allocation);
  const counts = joined.get(TaskGroup) ?? { placed: 0, canaries: [] };
  counts.placed += 1;
  if (allocation.isCanary) counts.canaries.push(allocation.ID);
  joined.set(TaskGroup, counts);
}

export function countJoined(state: State, step: Step, entry: DeploymentEntry, joined: Joined): void {
  for (const [name, { placed, canaries }] of joined) {
    amendGroup(state, step, entry, name, (group) => ({
      PlacedAllocs: group.PlacedAllocs + placed,
      PlacedCanaries: [...group.PlacedCanaries, ...canaries],
      // The first allocation starts the clock.
      RequireProgressBy: group.RequireProgressBy || deadlineFrom(group, step.time),
    }));
  }
}

/** 0 without a deadline, as the API shows a time that is none. */
export function deadlineFrom({ ProgressDeadline }: DeploymentState, time: number): number {
  return ProgressDeadline === 0 ? 0 : time + ProgressDeadline;
}

/** Where canaries wait to be promoted. */
export function awaitsPromotion(deployment: Deployment): boolean {
  return Object.values(deployment.TaskGroups).some((group) => group.DesiredCanaries > 0 && !group.Promoted);
}

/** The version to go back to, and the text that says so or why there is none. */
export function rollbackTarget(job: JobState): { readonly stable: Job | undefined; readonly differs: boolean } {
  const stable = newestStable(job);
  return { stable, differs: stable !== undefined && specChanged(stable, job.job) };
}

export function amendGroup(
  state: State,
  step: Step,
  { deployment }: DeploymentEntry,
  name: string,
  change: (group: DeploymentState) => Partial<DeploymentState>,
): void {
  const group = deployment.TaskGroups[name];
  if (group === undefined) return;
  const TaskGroups = { ...deployment.TaskGroups, [name]: { ...group, ...change(group) } };
  state.putDeployment(step, { ...deployment, TaskGroups });
}
