import { isActiveDeployment, isParameterized, isPeriodic } from "@steppe/model";
import type { Deployment, JobStatusesJob } from "@steppe/proto";
import type { AllocationView, JobView, StateView } from "@steppe/state";

// Objects are written out field by field: a list has thousands, and one that is spread costs as much again.

/** A job as a dashboard shows it, and the index of the last change to anything in it. */
export function statusOf(
  view: StateView,
  { job, children, allocations }: JobView,
): {
  status: JobStatusesJob;
  index: number;
} {
  const HasChildren = isParameterized(job) || isPeriodic(job);
  const status: JobStatusesJob = {
    ID: job.ID,
    Namespace: job.Namespace,
    Name: job.Name,
    Type: job.Type,
    NodePool: job.NodePool,
    Datacenters: job.Datacenters,
    Priority: job.Priority,
    Version: job.Version,
    SubmitTime: job.SubmitTime,
    ModifyIndex: job.ModifyIndex,
    ParentID: job.ParentID,
    Stop: job.Stop,
    Status: job.Status,
    IsPack: Object.hasOwn(job.Meta, "pack.name"),
    Allocs: [],
    GroupCountSum: job.TaskGroups.reduce((sum, { Count = 1 }) => sum + Count, 0),
    ChildStatuses: [],
    HasChildren,
    LatestDeployment: undefined,
  };
  let index = job.ModifyIndex;
  if (HasChildren) {
    const jobs = [...children].map((key) => view.jobs.byKey.get(key)?.job).filter((child) => child !== undefined);
    status.ChildStatuses = jobs.map(({ Status }) => Status);
    return { status, index: jobs.reduce((latest, { ModifyIndex }) => Math.max(latest, ModifyIndex), index) };
  }
  status.Allocs = [...allocations].map(allocOf);
  for (const { ModifyIndex } of allocations) index = Math.max(index, ModifyIndex);
  const deployment = view.deployments.latest(job.Namespace, job.ID)?.deployment;
  if (deployment === undefined) return { status, index };
  status.LatestDeployment = deploymentOf(deployment);
  return { status, index: Math.max(index, deployment.ModifyIndex) };
}

function allocOf(allocation: AllocationView): JobStatusesJob["Allocs"][number] {
  const health = allocation.DeploymentStatus;
  return {
    ID: allocation.ID,
    Group: allocation.TaskGroup,
    ClientStatus: allocation.ClientStatus,
    NodeID: allocation.NodeID,
    Canary: health?.Canary ?? false,
    Healthy: health?.Healthy,
    JobVersion: allocation.Job.Version,
    FollowupEvalID: allocation.FollowupEvalID,
    HasPausedTask: Object.values(allocation.TaskForms).some(({ Paused }) => PAUSED.includes(Paused)),
  };
}

const PAUSED: readonly string[] = ["force_pause", "scheduled_pause"];

function deploymentOf(deployment: Deployment): JobStatusesJob["LatestDeployment"] {
  const groups = Object.values(deployment.TaskGroups);
  const { ID, JobVersion, Status, StatusDescription } = deployment;
  return {
    ID,
    IsActive: isActiveDeployment(deployment),
    JobVersion,
    Status,
    StatusDescription,
    AllAutoPromote: groups.length > 0 && groups.every(({ AutoPromote }) => AutoPromote),
    RequiresPromotion:
      Status === "running" && groups.some(({ DesiredCanaries, Promoted }) => DesiredCanaries > 0 && !Promoted),
  };
}
