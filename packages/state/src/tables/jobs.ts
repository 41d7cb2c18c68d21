import type { Job, JobSubmission, JobSummary, ScalingEvent } from "@steppe/proto";
import { type JobKey, jobKey } from "../changes.ts";
import type { AllocationState } from "./allocations.ts";
import { NameCounts } from "./name-counts.ts";

/** Versions kept a job, the newest included and tagged ones not counted (the peer's default of job_tracked_versions). */
export const TRACKED_VERSIONS = 6;

/** Scaling events kept a group, as the peer does. */
const SCALING_EVENTS = 10;

/** Most jobs lack most of what may hang on one, and share what is empty. */
const NONE: ReadonlySet<never> = new Set();
const NOTHING: ReadonlyMap<string, never> = new Map<string, never>();

const NO_SUBMISSIONS: readonly never[] = [];

/** A job with what hangs on it. `Job` objects are never changed in place: a change replaces them. */
export class JobState {
  readonly key: JobKey;
  /** Newest last; the last one is the job as it is. */
  readonly versions: Job[];
  #allocations: Set<AllocationState> | undefined = undefined;
  #names: Map<string, NameCounts> | undefined = undefined;
  #children: Set<JobKey> | undefined = undefined;
  #scalingEvents: Map<string, ScalingEvent[]> | undefined = undefined;
  liveAllocations = 0;
  summary: JobSummary;
  allocationsIndex: number;
  /** The sources that versions still tracked were made from, oldest first. */
  submissions: readonly JobSubmission[] = NO_SUBMISSIONS;
  /** Index of the last of them; 0 = there is none. */
  scalingIndex = 0;
  /** Unix nanoseconds of the last periodic launch, or of the registration. */
  lastLaunch = 0;
  /** The last registration in several regions, unix nanoseconds, and the version it made or met; 0 = none. */
  rollout = 0;
  rolloutVersion = 0;

  constructor(job: Job, summary: JobSummary) {
    this.key = jobKey(job.Namespace, job.ID);
    this.versions = [job];
    this.summary = summary;
    this.allocationsIndex = job.CreateIndex;
  }

  get allocations(): ReadonlySet<AllocationState> {
    return this.#allocations ?? NONE;
  }

  addAllocation(allocation: AllocationState): void {
    this.#allocations ??= new Set();
    this.#allocations.add(allocation);
  }

  removeAllocation(allocation: AllocationState): void {
    this.#allocations?.delete(allocation);
  }

  /** By group: name indexes held by non-terminal allocations, and by how many: a canary shares its name. */
  get names(): ReadonlyMap<string, NameCounts> {
    return this.#names ?? NOTHING;
  }

  /** To be changed by whoever asks. */
  namesOf(group: string): NameCounts {
    this.#names ??= new Map();
    let names = this.#names.get(group);
    if (names === undefined) {
      names = new NameCounts();
      this.#names.set(group, names);
    }
    return names;
  }

  /** Keys of periodic and dispatched children. */
  get children(): ReadonlySet<JobKey> {
    return this.#children ?? NONE;
  }

  addChild(key: JobKey): void {
    this.#children ??= new Set();
    this.#children.add(key);
  }

  removeChild(key: JobKey): void {
    this.#children?.delete(key);
  }

  /** By group, newest first. */
  get scalingEvents(): ReadonlyMap<string, ScalingEvent[]> {
    return this.#scalingEvents ?? NOTHING;
  }

  restoreScalingEvents(group: string, events: ScalingEvent[]): void {
    this.#scalingEvents ??= new Map();
    this.#scalingEvents.set(group, events);
  }

  get job(): Job {
    return this.versions.at(-1) as Job;
  }

  version(version: number): Job | undefined {
    return this.versions.findLast((job) => job.Version === version);
  }

  /** Adds a version; the oldest beyond the limit is dropped (allocations keep their own reference). */
  push(job: Job): void {
    this.versions.push(job);
    this.prune();
  }

  /** Drops versions that are too many, the oldest first; those with a tag stay. */
  prune(): void {
    let surplus = this.versions.reduce((count, { VersionTag }) => count + (VersionTag === undefined ? 1 : 0), 0);
    surplus -= TRACKED_VERSIONS;
    while (surplus > 0) {
      const at = this.versions.findIndex(({ VersionTag }) => VersionTag === undefined);
      const [dropped] = this.versions.splice(at, 1);
      this.submissions = this.submissions.filter(({ Version }) => Version !== dropped?.Version);
      surplus -= 1;
    }
  }

  /** Keeps a source in place of the one that its version had. */
  submit(submission: JobSubmission): void {
    const at = this.submissions.findIndex(({ Version }) => Version === submission.Version);
    this.submissions = at < 0 ? [...this.submissions, submission] : this.submissions.with(at, submission);
  }

  addScalingEvent(group: string, event: ScalingEvent): void {
    const events = this.scalingEvents.get(group) ?? [];
    this.restoreScalingEvents(group, [event, ...events].slice(0, SCALING_EVENTS));
    this.scalingIndex = event.CreateIndex;
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
  /** Of the version that was asked for last: commands change many allocations of one version in a row. */
  #asked: Job | undefined = undefined;
  #found: JobState | undefined = undefined;

  /** The job that a version is of. */
  of(version: Job): JobState | undefined {
    if (this.#asked !== version) {
      this.#asked = version;
      this.#found = this.get(version.Namespace, version.ID);
    }
    return this.#found;
  }

  get(namespace: string, id: string): JobState | undefined {
    return this.byKey.get(jobKey(namespace, id));
  }

  add(state: JobState): void {
    this.#asked = undefined;
    this.byKey.set(state.key, state);
    this.classify(state);
    this.parentOf(state)?.addChild(state.key);
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
    this.#asked = undefined;
    this.byKey.delete(state.key);
    this.system.delete(state);
    this.periodic.delete(state);
    this.parentOf(state)?.removeChild(state.key);
  }
}

function setMembership<T>(set: Set<T>, item: T, member: boolean): void {
  if (member) set.add(item);
  else set.delete(item);
}
