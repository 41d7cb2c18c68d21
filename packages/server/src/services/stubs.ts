import { allocatedResources, olderResources } from "@steppe/model";
import {
  type AllocatedResources,
  Allocation,
  type AllocListStub,
  type AllocMetric,
  type DesiredTransition,
  type Evaluation,
  type Job,
  JobChildrenSummary,
  JobListStub,
  type JobSummary,
  type Node,
  NodeListStub,
} from "@steppe/proto";
import { type AllocationView, groupOf, type JobView, type StateView } from "@steppe/state";

interface NodesView {
  readonly nodes: Pick<StateView["nodes"], "get">;
}

/** The forms in which lists and single reads show what the state keeps more tightly. */

/**
 * A row of a list of jobs, made when it is written: of ten thousand, those that are written together hold nobody up.
 * It keeps what the job was, as the state replaces jobs and summaries.
 */
export class JobRow implements JobListStub {
  readonly #job: Job;
  readonly #summary: JobSummary;
  readonly Meta: JobListStub["Meta"];

  constructor({ job, summary }: JobView, wantsMeta: boolean) {
    this.#job = job;
    this.#summary = summary;
    this.Meta = wantsMeta ? job.Meta : NO_META;
  }

  get ID(): JobListStub["ID"] {
    return this.#job.ID;
  }

  get ParentID(): JobListStub["ParentID"] {
    return this.#job.ParentID;
  }

  get Name(): JobListStub["Name"] {
    return this.#job.Name;
  }

  get Namespace(): JobListStub["Namespace"] {
    return this.#job.Namespace;
  }

  get Datacenters(): JobListStub["Datacenters"] {
    return this.#job.Datacenters;
  }

  get NodePool(): JobListStub["NodePool"] {
    return this.#job.NodePool;
  }

  get Multiregion(): JobListStub["Multiregion"] {
    return this.#job.Multiregion;
  }

  get Type(): JobListStub["Type"] {
    return this.#job.Type;
  }

  get Priority(): JobListStub["Priority"] {
    return this.#job.Priority;
  }

  get Stop(): JobListStub["Stop"] {
    return this.#job.Stop;
  }

  get Status(): JobListStub["Status"] {
    return this.#job.Status;
  }

  get StatusDescription(): JobListStub["StatusDescription"] {
    return this.#job.StatusDescription;
  }

  get CreateIndex(): JobListStub["CreateIndex"] {
    return this.#job.CreateIndex;
  }

  get ModifyIndex(): JobListStub["ModifyIndex"] {
    return this.#job.ModifyIndex;
  }

  get JobModifyIndex(): JobListStub["JobModifyIndex"] {
    return this.#job.JobModifyIndex;
  }

  get SubmitTime(): JobListStub["SubmitTime"] {
    return this.#job.SubmitTime;
  }

  get Periodic(): boolean {
    return this.#job.Periodic !== undefined;
  }

  get ParameterizedJob(): boolean {
    return this.#job.ParameterizedJob !== undefined && !this.#job.Dispatched;
  }

  get JobSummary(): JobSummary {
    return shownSummary(this.#summary);
  }
}

/** Clients look into `Children` whether or not the job can have any. */
export function shownSummary(summary: JobSummary): JobSummary {
  return summary.Children === undefined ? { ...summary, Children: NO_CHILDREN } : summary;
}

const NO_CHILDREN = JobChildrenSummary.create();
const NO_META = JobListStub.create().Meta;

/** A row of a list of allocations, made when it is written. It keeps a copy, as the state changes allocations in place. */
export class AllocationRow implements AllocListStub {
  readonly #it: AllocationView;
  readonly #tasks: boolean;
  readonly NodeName: string;
  /** Given only where it is asked for. */
  readonly AllocatedResources: AllocatedResources | undefined;

  constructor(view: NodesView, allocation: AllocationView, { resources = false, tasks = true } = {}) {
    this.#it = allocation.copy();
    this.#tasks = tasks;
    this.NodeName = view.nodes.get(allocation.NodeID)?.Name ?? "";
    this.AllocatedResources = resources ? resourcesOf(view, allocation) : undefined;
  }

  get ID(): AllocListStub["ID"] {
    return this.#it.ID;
  }

  get EvalID(): AllocListStub["EvalID"] {
    return this.#it.EvalID;
  }

  get Name(): AllocListStub["Name"] {
    return this.#it.Name;
  }

  get Namespace(): AllocListStub["Namespace"] {
    return this.#it.Namespace;
  }

  get NodeID(): AllocListStub["NodeID"] {
    return this.#it.NodeID;
  }

  get JobID(): AllocListStub["JobID"] {
    return this.#it.JobID;
  }

  get JobType(): AllocListStub["JobType"] {
    return this.#it.Job.Type;
  }

  get JobVersion(): AllocListStub["JobVersion"] {
    return this.#it.Job.Version;
  }

  get TaskGroup(): AllocListStub["TaskGroup"] {
    return this.#it.TaskGroup;
  }

  get DesiredStatus(): AllocListStub["DesiredStatus"] {
    return this.#it.DesiredStatus;
  }

  get DesiredDescription(): AllocListStub["DesiredDescription"] {
    return this.#it.DesiredDescription;
  }

  get ClientStatus(): AllocListStub["ClientStatus"] {
    return this.#it.ClientStatus;
  }

  get ClientDescription(): AllocListStub["ClientDescription"] {
    return this.#it.ClientDescription;
  }

  get DesiredTransition(): AllocListStub["DesiredTransition"] {
    return transitionOf(this.#it);
  }

  get TaskStates(): AllocListStub["TaskStates"] {
    return this.#tasks ? this.#it.TaskStates : NO_TASKS;
  }

  get DeploymentStatus(): AllocListStub["DeploymentStatus"] {
    return this.#it.DeploymentStatus;
  }

  get FollowupEvalID(): AllocListStub["FollowupEvalID"] {
    return this.#it.FollowupEvalID;
  }

  get NextAllocation(): AllocListStub["NextAllocation"] {
    return this.#it.NextAllocation;
  }

  get RescheduleTracker(): AllocListStub["RescheduleTracker"] {
    return this.#it.RescheduleTracker;
  }

  get PreemptedAllocations(): AllocListStub["PreemptedAllocations"] {
    return [...this.#it.PreemptedAllocations];
  }

  get PreemptedByAllocation(): AllocListStub["PreemptedByAllocation"] {
    return this.#it.PreemptedByAllocation;
  }

  get CreateIndex(): AllocListStub["CreateIndex"] {
    return this.#it.CreateIndex;
  }

  get ModifyIndex(): AllocListStub["ModifyIndex"] {
    return this.#it.ModifyIndex;
  }

  get CreateTime(): AllocListStub["CreateTime"] {
    return this.#it.CreateTime;
  }

  get ModifyTime(): AllocListStub["ModifyTime"] {
    return this.#it.ModifyTime;
  }
}

const NO_TASKS: AllocListStub["TaskStates"] = {};

function transitionOf({ Migrate, Reschedule, ForceReschedule, NoShutdownDelay }: AllocationView): DesiredTransition {
  return {
    Migrate: Migrate || undefined,
    Reschedule: Reschedule || undefined,
    ForceReschedule: ForceReschedule || undefined,
    NoShutdownDelay: NoShutdownDelay || undefined,
    MigrateDisablePlacement: undefined,
  };
}

function resourcesOf({ nodes }: NodesView, { Job, TaskGroup, Claims, NodeID }: AllocationView) {
  const group = groupOf(Job, TaskGroup);
  return group && allocatedResources(group, Claims, nodes.get(NodeID)?.NodeResources);
}

/** `nodes`: where the allocation is. */
export function fullAllocation(view: NodesView, allocation: AllocationView): Allocation {
  const AllocatedResources = resourcesOf(view, allocation);
  return {
    ...Allocation.create(),
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
    DesiredTransition: transitionOf(allocation),
    FollowupEvalID: allocation.FollowupEvalID,
    NextAllocation: allocation.NextAllocation,
    RescheduleTracker: allocation.RescheduleTracker,
    PreemptedAllocations: [...allocation.PreemptedAllocations],
    PreemptedByAllocation: allocation.PreemptedByAllocation,
    CreateIndex: allocation.CreateIndex,
    ModifyIndex: allocation.ModifyIndex,
    CreateTime: allocation.CreateTime,
    ModifyTime: allocation.ModifyTime,
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
