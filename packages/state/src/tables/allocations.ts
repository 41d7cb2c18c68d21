import { groupResources } from "@steppe/model";
import type {
  AllocDeploymentStatus,
  AllocMetric,
  AllocNetworkStatus,
  Claims,
  Job,
  RescheduleTracker,
  TaskGroup,
} from "@steppe/proto";
import { type PackedClaims, packClaims, unpackClaims } from "./claims.ts";
import type { Health } from "./healths.ts";
import { NO_TASKS, type PackedTasks, type TaskStates, unpackTasks } from "./task-forms.ts";

/** What one allocation of a group takes from its node. MHz and MB. */
export interface Ask {
  readonly cpu: number;
  readonly memoryMb: number;
  readonly diskMb: number;
  /** Whole cores, which take of the CPU what they run at on their node. */
  readonly cores: number;
}

/** What befell an allocation. Most have nothing of it, and share one. Never changed in place. */
export interface Course {
  readonly DesiredDescription: string;
  readonly NetworkStatus: AllocNetworkStatus | undefined;
  readonly PreviousAllocation: string;
  readonly NextAllocation: string;
  readonly FollowupEvalID: string;
  readonly RescheduleTracker: RescheduleTracker | undefined;
  readonly ForceReschedule: boolean;
  /** Its tasks are stopped without their shutdown delay. */
  readonly NoShutdownDelay: boolean;
  /** It is to leave its node. */
  readonly Migrate: boolean;
  /** Log time at which its node had gone without a word; 0 once the scheduler has decided that it runs on. */
  readonly UnknownSince: number;
  /** Its failure within a deployment may be followed by a replacement. */
  readonly Reschedule: boolean;
  /** What was evicted for it, and what it was evicted for. */
  readonly PreemptedAllocations: readonly string[];
  readonly PreemptedByAllocation: string;
}

const UNEVENTFUL: Course = Object.freeze({
  DesiredDescription: "",
  NetworkStatus: undefined,
  PreviousAllocation: "",
  NextAllocation: "",
  FollowupEvalID: "",
  RescheduleTracker: undefined,
  ForceReschedule: false,
  NoShutdownDelay: false,
  Migrate: false,
  UnknownSince: 0,
  Reschedule: false,
  PreemptedAllocations: [],
  PreemptedByAllocation: "",
});

/** When something was written: index and log time, unix nanoseconds. One for all that a command writes. */
export interface Moment {
  readonly index: number;
  readonly time: number;
}

/** What the allocations that one plan places of a group have in common, for good. */
export interface Origin {
  readonly TaskGroup: string;
  readonly EvalID: string;
  readonly Metrics: AllocMetric | undefined;
  readonly moment: Moment;
}

/**
 * An allocation as the state keeps it. There may be millions, so what many have alike is shared
 * (`Job` is the version that it was placed with; `Ask`, its origin, the moment of its last change, the form
 * of its tasks) and what few have is apart, in `Course`. Field names are the API's where it has one.
 */
export class AllocationState {
  readonly ID: string;
  Job: Job;
  readonly NameIndex: number;
  readonly NodeID: string;
  Ask: Ask;
  DesiredStatus = "run";
  ClientStatus = "pending";
  ClientDescription = "";
  /** Empty outside deployments. */
  DeploymentID = "";
  Score = 0;
  /** Index of the last change by the server, as against the node agent. */
  AllocModifyIndex: number;
  readonly #origin: Origin;
  #modified: Moment;
  #claims: PackedClaims | undefined = undefined;
  #form: TaskStates = NO_TASKS;
  #times: PackedTasks["times"] = undefined;
  #course: Course = UNEVENTFUL;
  #health: Health | undefined = undefined;
  #healthTime = 0;

  constructor(id: string, job: Job, ask: Ask, nameIndex: number, nodeId: string, origin: Origin) {
    this.ID = id;
    this.Job = job;
    this.NameIndex = nameIndex;
    this.NodeID = nodeId;
    this.Ask = ask;
    this.#origin = origin;
    this.#modified = origin.moment;
    this.AllocModifyIndex = origin.moment.index;
  }

  /** As it is now, whatever becomes of this one. Field by field: it is made for each change, for whoever reads events. */
  copy(): AllocationState {
    const copy = new AllocationState(this.ID, this.Job, this.Ask, this.NameIndex, this.NodeID, this.#origin);
    copy.DesiredStatus = this.DesiredStatus;
    copy.ClientStatus = this.ClientStatus;
    copy.ClientDescription = this.ClientDescription;
    copy.DeploymentID = this.DeploymentID;
    copy.Score = this.Score;
    copy.AllocModifyIndex = this.AllocModifyIndex;
    copy.#modified = this.#modified;
    copy.#claims = this.#claims;
    copy.#form = this.#form;
    copy.#times = this.#times;
    copy.#course = this.#course;
    copy.#health = this.#health;
    copy.#healthTime = this.#healthTime;
    return copy;
  }

  get TaskGroup(): string {
    return this.#origin.TaskGroup;
  }

  get EvalID(): string {
    return this.#origin.EvalID;
  }

  get Metrics(): AllocMetric | undefined {
    return this.#origin.Metrics;
  }

  get CreateIndex(): number {
    return this.#origin.moment.index;
  }

  get CreateTime(): number {
    return this.#origin.moment.time;
  }

  get ModifyIndex(): number {
    return this.#modified.index;
  }

  get ModifyTime(): number {
    return this.#modified.time;
  }

  modifiedAt(moment: Moment): void {
    this.#modified = moment;
  }

  /**
   * Ports, devices and cores that it has to itself, from placement on; undefined when none were asked for. May
   * be made anew each time it is asked for.
   */
  get Claims(): Claims | undefined {
    return this.#claims && unpackClaims(this.#claims);
  }

  /** Once, before it is part of the state. */
  claim(claims: Claims | undefined): void {
    this.#claims = claims && packClaims(claims);
  }

  /** Made anew each time it is asked for. */
  get TaskStates(): TaskStates {
    return unpackTasks({ form: this.#form, times: this.#times });
  }

  /** The same at no cost, but for its points of time: 0 is none, 1 is some. */
  get TaskForms(): TaskStates {
    return this.#form;
  }

  report({ form, times }: PackedTasks): void {
    this.#form = form;
    this.#times = times;
  }

  /** How it fares in its deployment. Made anew each time it is asked for. */
  get DeploymentStatus(): AllocDeploymentStatus | undefined {
    return this.#health && { ...this.#health, Timestamp: this.#healthTime };
  }

  /** `time`: unix nanoseconds. */
  fare(health: Health | undefined, time: number): void {
    this.#health = health;
    this.#healthTime = time;
  }

  get isCanary(): boolean {
    return this.#health?.Canary === true;
  }

  /** Index at which its health was told; 0 = it was not. */
  get healthIndex(): number {
    return this.#health?.ModifyIndex ?? 0;
  }

  /** Undefined: not known yet. */
  get isHealthy(): boolean | undefined {
    return this.#health?.Healthy;
  }

  /** Sets some of what few allocations have. */
  amend(fields: Partial<Course>): void {
    const before = this.#course;
    const names = Object.keys(fields) as (keyof Course)[];
    if (names.some((name) => fields[name] !== before[name])) this.#course = { ...before, ...fields };
  }

  get DesiredDescription(): string {
    return this.#course.DesiredDescription;
  }

  get NetworkStatus(): AllocNetworkStatus | undefined {
    return this.#course.NetworkStatus;
  }

  get PreviousAllocation(): string {
    return this.#course.PreviousAllocation;
  }

  get NextAllocation(): string {
    return this.#course.NextAllocation;
  }

  get FollowupEvalID(): string {
    return this.#course.FollowupEvalID;
  }

  get RescheduleTracker(): RescheduleTracker | undefined {
    return this.#course.RescheduleTracker;
  }

  get ForceReschedule(): boolean {
    return this.#course.ForceReschedule;
  }

  get Migrate(): boolean {
    return this.#course.Migrate;
  }

  get NoShutdownDelay(): boolean {
    return this.#course.NoShutdownDelay;
  }

  get UnknownSince(): number {
    return this.#course.UnknownSince;
  }

  get Reschedule(): boolean {
    return this.#course.Reschedule;
  }

  get PreemptedAllocations(): readonly string[] {
    return this.#course.PreemptedAllocations;
  }

  get PreemptedByAllocation(): string {
    return this.#course.PreemptedByAllocation;
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

const asks = new WeakMap<TaskGroup, Ask>();

/** The ask of a group, computed once a job version. */
export function askOf(group: TaskGroup): Ask {
  let ask = asks.get(group);
  if (ask === undefined) {
    const { cpu, memoryMb, diskMb, cores } = groupResources(group);
    ask = { cpu, memoryMb, diskMb, cores };
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
