import { allocatedResources, olderResources } from "@steppe/model";
import {
  Allocation,
  AllocListStub,
  type AllocMetric,
  type Evaluation,
  JobChildrenSummary,
  JobListStub,
  type JobSummary,
  type Node,
  NodeListStub,
  type TaskGroupSummary,
} from "@steppe/proto";
import { type AllocationView, groupOf, type JobView, type StateView } from "@steppe/state";

interface NodesView {
  readonly nodes: Pick<StateView["nodes"], "get">;
}

/** The forms in which lists and single reads show what the state keeps more tightly. */

export function jobStub(job: JobView): JobListStub {
  const it = job.job;
  return {
    ...JobListStub.create(),
    ID: it.ID,
    ParentID: it.ParentID,
    Name: it.Name,
    Namespace: it.Namespace,
    Datacenters: it.Datacenters,
    NodePool: it.NodePool,
    Multiregion: it.Multiregion,
    Type: it.Type,
    Priority: it.Priority,
    Periodic: it.Periodic !== undefined,
    ParameterizedJob: it.ParameterizedJob !== undefined && !it.Dispatched,
    Stop: it.Stop,
    Status: it.Status,
    StatusDescription: it.StatusDescription,
    JobSummary: shownSummary(job.summary),
    CreateIndex: it.CreateIndex,
    ModifyIndex: it.ModifyIndex,
    JobModifyIndex: it.JobModifyIndex,
    SubmitTime: it.SubmitTime,
  };
}

/**
 * A copy, as the state counts on in its own while a long list goes out. Clients look into `Children` whether or
 * not the job can have any.
 */
export function shownSummary(summary: JobSummary): JobSummary {
  const Summary: JobSummary["Summary"] = {};
  for (const group in summary.Summary) Summary[group] = { ...(summary.Summary[group] as TaskGroupSummary) };
  return { ...summary, Summary, Children: { ...(summary.Children ?? NO_CHILDREN) } };
}

const NO_CHILDREN = JobChildrenSummary.create();

export function allocationStub(view: StateView, allocation: AllocationView): AllocListStub {
  return {
    ...AllocListStub.create(),
    ...sharedFields(view, allocation),
    JobType: allocation.Job.Type,
    JobVersion: allocation.Job.Version,
  };
}

/** `nodes`: where the allocation is. */
export function fullAllocation(view: NodesView, allocation: AllocationView): Allocation {
  const group = groupOf(allocation.Job, allocation.TaskGroup);
  const node = view.nodes.get(allocation.NodeID)?.NodeResources;
  const AllocatedResources = group && allocatedResources(group, allocation.Claims, node);
  return {
    ...Allocation.create(),
    ...sharedFields(view, allocation),
    Job: allocation.Job,
    AllocatedResources,
    ...(AllocatedResources && olderResources(AllocatedResources)),
    Metrics: ownMetrics(allocation),
    PreviousAllocation: allocation.PreviousAllocation,
    DeploymentID: allocation.DeploymentID,
    NetworkStatus: allocation.NetworkStatus,
    AllocStates: allocation.UnknownSince === 0 ? [] : [{ Field: 0, Value: "unknown", Time: allocation.UnknownSince }],
    AllocModifyIndex: allocation.AllocModifyIndex,
  };
}

/**
 * The metrics of a placement are shared by its pass, and tell the best nodes of the pass's first
 * placement. What this allocation's node scored is its own: it comes first.
 */
function ownMetrics({ Metrics, NodeID, Score }: AllocationView): AllocMetric | undefined {
  if (Metrics === undefined) return undefined;
  const others = Metrics.ScoreMetaData.filter((it) => it.NodeID !== NodeID);
  const known = Metrics.ScoreMetaData.find((it) => it.NodeID === NodeID && it.NormScore === Score);
  const own = known ?? { NodeID, Scores: {}, NormScore: Score };
  return { ...Metrics, ScoreMetaData: [own, ...others] };
}

function sharedFields(view: NodesView, allocation: AllocationView) {
  return {
    ID: allocation.ID,
    EvalID: allocation.EvalID,
    Name: allocation.Name,
    Namespace: allocation.Namespace,
    NodeID: allocation.NodeID,
    NodeName: view.nodes.get(allocation.NodeID)?.Name ?? "",
    JobID: allocation.JobID,
    TaskGroup: allocation.TaskGroup,
    DesiredStatus: allocation.DesiredStatus,
    DesiredDescription: allocation.DesiredDescription,
    ClientStatus: allocation.ClientStatus,
    ClientDescription: allocation.ClientDescription,
    TaskStates: allocation.TaskStates,
    DeploymentStatus: allocation.DeploymentStatus,
    DesiredTransition: {
      Migrate: allocation.Migrate || undefined,
      Reschedule: allocation.Reschedule || undefined,
      ForceReschedule: allocation.ForceReschedule || undefined,
      NoShutdownDelay: allocation.NoShutdownDelay || undefined,
      MigrateDisablePlacement: undefined,
    },
    FollowupEvalID: allocation.FollowupEvalID,
    NextAllocation: allocation.NextAllocation,
    RescheduleTracker: allocation.RescheduleTracker,
    PreemptedAllocations: [...allocation.PreemptedAllocations],
    PreemptedByAllocation: allocation.PreemptedByAllocation,
    CreateIndex: allocation.CreateIndex,
    ModifyIndex: allocation.ModifyIndex,
    CreateTime: allocation.CreateTime,
    ModifyTime: allocation.ModifyTime,
  };
}

export function nodeStub(node: Node): NodeListStub {
  return {
    ...NodeListStub.create(),
    Address: node.HTTPAddr.replace(/:\d+$/, ""),
    ID: node.ID,
    Datacenter: node.Datacenter,
    Name: node.Name,
    NodePool: node.NodePool,
    NodeClass: node.NodeClass,
    Version: node.Attributes["nomad.version"] ?? "",
    Drain: node.Drain,
    SchedulingEligibility: node.SchedulingEligibility,
    Status: node.Status,
    StatusDescription: node.StatusDescription,
    Drivers: node.Drivers,
    HostVolumes: node.HostVolumes,
    LastDrain: node.LastDrain,
    CreateIndex: node.CreateIndex,
    ModifyIndex: node.ModifyIndex,
  };
}

/** A node without its credential. */
export function shownNode(node: Node): Node {
  return { ...node, SecretID: "" };
}

/** An evaluation without its credential. */
export function shownEvaluation(evaluation: Evaluation): Evaluation {
  return evaluation.LeaderACL === "" ? evaluation : { ...evaluation, LeaderACL: "" };
}
