import { type Service, SteppeError } from "@steppe/model";
import type { JobScaleRequest, JobScaleStatus, JobsDefinition, TaskGroupScaleStatus } from "@steppe/proto";
import { type JobView, jobKey } from "@steppe/state";
import { registerReply } from "./job-replies.ts";
import { namespaceOf, type Reader } from "./read.ts";
import { refuseIfRejecting, type Writer } from "./write.ts";

/** Scaling of this region's jobs. */
export function createJobScaling(
  reader: Reader,
  writer: Writer,
): Pick<Service<JobsDefinition>, "scale" | "scaleStatus"> {
  return {
    async scaleStatus(request, call) {
      const key = { kind: "job-scale", id: jobKey(namespaceOf(request.Query), request.JobID) } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const job = view.jobs.byKey.get(key.id);
        const index = job && Math.max(job.job.ModifyIndex, job.summary.ModifyIndex, job.scalingIndex);
        return {
          changedAt: index ?? view.indexes.deletedAt("jobs"),
          index: index ?? view.indexes.changedAt("jobs"),
          value: job && statusOf(job),
        };
      });
      return { JobScaleStatus: value, Meta: meta };
    },

    async scale(request, call) {
      refuseIfRejecting(reader.view);
      const { Write, JobID, Count, Message, Error: isError, Meta } = request;
      const value = {
        ...{ Namespace: namespaceOf(Write), JobID, Group: checkedGroup(request) },
        ...{ Count, Message, Error: isError, Meta },
      };
      return registerReply(await writer.write(Write, call, { $case: "ScaleJob", value }));
    },
  };
}

/** The group that is to be scaled. Throws `invalid` where the request contradicts itself. */
function checkedGroup({ Write, JobID, Target, Count, Error: isError }: JobScaleRequest): string {
  const { Namespace = "", Job = "", Group = "" } = Target;
  const refuse = (message: string): never => {
    throw new SteppeError("invalid", message);
  };
  if (Namespace !== "" && Namespace !== namespaceOf(Write)) refuse("namespace in payload did not match header");
  if (Job !== "" && Job !== JobID) refuse("job ID in payload did not match URL");
  if (Group === "") refuse("missing task group name for scaling action");
  if (Count !== undefined && Count < 0) refuse("scaling action count can't be negative");
  if (Count !== undefined && isError) refuse("scaling action should not contain count if error is true");
  if (Count !== undefined && Count > COUNT_MAX) {
    refuse(`new scaling count is too large for TaskGroup.Count (int): ${Count}`);
  }
  return Group;
}

const COUNT_MAX = 2 ** 31 - 1;

function statusOf(view: JobView): JobScaleStatus {
  const { job, scalingEvents } = view;
  const groups = new Map<string, TaskGroupScaleStatus>();
  for (const { Name, Count = 1 } of job.TaskGroups) {
    const Events = [...(scalingEvents.get(Name) ?? [])];
    groups.set(Name, { Desired: Count, Placed: 0, Running: 0, Healthy: 0, Unhealthy: 0, Events });
  }
  for (const allocation of view.allocations) {
    const group = groups.get(allocation.TaskGroup);
    const { DeploymentStatus: health } = allocation;
    if (group === undefined || allocation.terminal || health?.Canary === true) continue;
    group.Placed += 1;
    if (allocation.ClientStatus === "running") group.Running += 1;
    if (health?.Healthy === true) group.Healthy += 1;
    if (health?.Healthy === false) group.Unhealthy += 1;
  }
  return {
    JobID: job.ID,
    Namespace: job.Namespace,
    JobCreateIndex: job.CreateIndex,
    JobModifyIndex: job.ModifyIndex,
    JobStopped: job.Stop,
    TaskGroups: Object.fromEntries(groups),
  };
}
