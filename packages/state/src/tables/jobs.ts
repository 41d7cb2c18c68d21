import type { Job, JobSubmission, JobSummary } from "@steppe/proto";
import { type JobKey, jobKey } from "../changes.ts";
import type { AllocationState } from "./allocations.ts";
import type { NameCounts } from "./name-counts.ts";

/** Versions kept a job, the newest included (the peer's default of job_tracked_versions). */
export const TRACKED_VERSIONS = 6;

/** A job with what hangs on it. `Job` objects are never changed in place: a change replaces them. */
export class JobState {
  /** Newest last; the last one is the job as it is. */
  readonly versions: Job[];
  readonly allocations: Set<AllocationState> = new Set();
  /** By group: name indexes held by non-terminal allocations, and by how many: a canary shares its name. */
  readonly names: Map<string, NameCounts> = new Map();
  /** Keys of periodic and dispatched children. */
  readonly children: Set<JobKey> = new Set();
  liveAllocations = 0;
  summary: JobSummary;
  allocationsIndex: number;
  submission: JobSubmission | undefined = undefined;
  /** Unix nanoseconds of the last periodic launch, or of the registration. */
  lastLaunch = 0;

  constructor(job: Job, summary: JobSummary) {
    this.versions = [job];
    this.summary = summary;
    this.allocationsIndex = job.CreateIndex;
  }

  get job(): Job {
    return this.versions.at(-1) as Job;
  }

  get key(): JobKey {
    return jobKey(this.job.Namespace, this.job.ID);
  }

  version(version: number): Job | undefined {
    return this.versions.findLast((job) => job.Version === version);
  }

  /** Adds a version; the oldest beyond the limit is dropped (allocations keep their own reference). */
  push(job: Job): void {
    this.versions.push(job);
    if (this.versions.length > TRACKED_VERSIONS) this.versions.shift();
  }

  /** Changes bookkeeping fields of the newest version. */
  amend(fields: Partial<Job>): void {
    this.versions[this.versions.length - 1] = { ...this.job, ...fields };
  }

  /** The same of any version still tracked. */
  amendVersion(version: number, fields: Partial<Job>): void {
    const at = this.versions.findIndex((job) => job.Version === version);
    if (at >= 0) this.versions[at] = { ...(this.versions[at] as Job), ...fields };
  }
}

export class JobTable {
  readonly byKey: Map<JobKey, JobState> = new Map();
  /** System and sysbatch jobs: what a new node may have to run. */
  readonly system: Set<JobState> = new Set();
  readonly periodic: Set<JobState> = new Set();

  get(namespace: string, id: string): JobState | undefined {
    return this.byKey.get(jobKey(namespace, id));
  }

  add(state: JobState): void {
    this.byKey.set(state.key, state);
    this.classify(state);
    this.parentOf(state)?.children.add(state.key);
  }

  /** Call after the newest version changed. */
  classify(state: JobState): void {
    const { Type, Stop, Periodic } = state.job;
    setMembership(this.system, state, !Stop && (Type === "system" || Type === "sysbatch"));
    setMembership(this.periodic, state, !Stop && Periodic !== undefined);
  }

  parentOf(state: JobState): JobState | undefined {
    const { Namespace, ParentID } = state.job;
    return ParentID === "" ? undefined : this.get(Namespace, ParentID);
  }

  remove(state: JobState): void {
    this.byKey.delete(state.key);
    this.system.delete(state);
    this.periodic.delete(state);
    this.parentOf(state)?.children.delete(state.key);
  }
}

function setMembership<T>(set: Set<T>, item: T, member: boolean): void {
  if (member) set.add(item);
  else set.delete(item);
}
