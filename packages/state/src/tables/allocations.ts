import { groupResources } from "@steppe/model";
import type {
  AllocDeploymentStatus,
  AllocMetric,
  AllocNetworkStatus,
  Claims,
  Job,
  RescheduleTracker,
  TaskGroup,
  TaskState,
} from "@steppe/proto";

/** What one allocation of a group takes from its node. MHz and MB. */
export interface Ask {
  readonly cpu: number;
  readonly memoryMb: number;
  readonly diskMb: number;
}

/**
 * An allocation as the state keeps it. `Job` is the version it was placed with, shared by all its
 * allocations; `Ask` and `Metrics` are shared too. Field names are the API's where it has one.
 */
export class AllocationState {
  readonly ID: string;
  Job: Job;
  readonly TaskGroup: string;
  readonly NameIndex: number;
  readonly NodeID: string;
  readonly EvalID: string;
  Ask: Ask;
  /** Ports and devices that it has to itself, from placement on; undefined when none were asked for. */
  Claims: Claims | undefined = undefined;
  DesiredStatus = "run";
  DesiredDescription = "";
  ClientStatus = "pending";
  ClientDescription = "";
  TaskStates: Readonly<Record<string, TaskState>> = NO_TASK_STATES;
  DeploymentStatus: AllocDeploymentStatus | undefined = undefined;
  NetworkStatus: AllocNetworkStatus | undefined = undefined;
  PreviousAllocation = "";
  NextAllocation = "";
  FollowupEvalID = "";
  RescheduleTracker: RescheduleTracker | undefined = undefined;
  ForceReschedule = false;
  /** It is to leave its node. */
  Migrate = false;
  /** Log time at which its node had gone without a word; 0 once the scheduler has decided that it runs on. */
  UnknownSince = 0;
  /** Empty outside deployments. */
  DeploymentID = "";
  /** Its failure within a deployment may be followed by a replacement. */
  Reschedule = false;
  /** What was evicted for it, and what it was evicted for. */
  PreemptedAllocations: readonly string[] = NONE;
  PreemptedByAllocation = "";
  Score = 0;
  Metrics: AllocMetric | undefined = undefined;
  readonly CreateIndex: number;
  ModifyIndex: number;
  /** Last change by the server, as against the node agent. */
  AllocModifyIndex: number;
  readonly CreateTime: number;
  ModifyTime: number;

  constructor(
    id: string,
    job: Job,
    group: TaskGroup,
    nameIndex: number,
    nodeId: string,
    evalId: string,
    index: number,
    time: number,
  ) {
    this.ID = id;
    this.Job = job;
    this.TaskGroup = group.Name;
    this.NameIndex = nameIndex;
    this.NodeID = nodeId;
    this.EvalID = evalId;
    this.Ask = askOf(group);
    this.CreateIndex = index;
    this.ModifyIndex = index;
    this.AllocModifyIndex = index;
    this.CreateTime = time;
    this.ModifyTime = time;
  }

  get Namespace(): string {
    return this.Job.Namespace;
  }

  get JobID(): string {
    return this.Job.ID;
  }

  get Name(): string {
    return `${this.Job.ID}.${this.TaskGroup}[${this.NameIndex}]`;
  }

  /** Neither wanted by the servers nor, as far as they know, running: it holds no name and no resources. */
  get terminal(): boolean {
    return this.DesiredStatus !== "run" || this.clientTerminal;
  }

  /**
   * Nobody else may have its name. While its node is disconnected a replacement may, and the
   * scheduler settles which of the two stays when it is back.
   */
  get holdsName(): boolean {
    return !this.terminal && this.UnknownSince === 0;
  }

  get clientTerminal(): boolean {
    return this.ClientStatus === "complete" || this.ClientStatus === "failed" || this.ClientStatus === "lost";
  }
}

const NONE: readonly string[] = Object.freeze([]);
const NO_TASK_STATES: Readonly<Record<string, TaskState>> = Object.freeze({});

const asks = new WeakMap<TaskGroup, Ask>();

/** The ask of a group, computed once a job version. */
export function askOf(group: TaskGroup): Ask {
  let ask = asks.get(group);
  if (ask === undefined) {
    const { cpu, memoryMb, diskMb } = groupResources(group);
    ask = { cpu, memoryMb, diskMb };
    asks.set(group, ask);
  }
  return ask;
}

export function groupOf(job: Job, name: string): TaskGroup | undefined {
  return job.TaskGroups.find((group) => group.Name === name);
}

/** Allocations by id. Those of a job or a node hang on these; those of an evaluation are among its job's. */
export class AllocationTable {
  readonly byId: Map<string, AllocationState> = new Map();

  get(id: string): AllocationState | undefined {
    return this.byId.get(id);
  }

  add(allocation: AllocationState): void {
    this.byId.set(allocation.ID, allocation);
  }

  remove(allocation: AllocationState): void {
    this.byId.delete(allocation.ID);
  }
}
