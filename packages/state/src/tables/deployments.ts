import { isActiveDeployment } from "@steppe/model";
import type { Deployment } from "@steppe/proto";
import { type JobKey, jobKey } from "../changes.ts";
import type { AllocationState } from "./allocations.ts";

/** A deployment with its allocations. `deployment` is never changed in place: a change replaces it. */
export class DeploymentEntry {
  deployment: Deployment;
  #allocations: Set<AllocationState> = NONE;
  /**
   * Index at which its course was last changed (paused, promoted, ended), 0 = never. Counts of
   * health do not move it: a plan made in between stands.
   */
  decidedIndex = 0;

  constructor(deployment: Deployment) {
    this.deployment = deployment;
  }

  /** Those placed or updated for it, also when they ended since. */
  get allocations(): ReadonlySet<AllocationState> {
    return this.#allocations;
  }

  add(allocation: AllocationState): void {
    if (this.#allocations === NONE) this.#allocations = new Set();
    this.#allocations.add(allocation);
  }

  /** False when it is none of them. */
  delete(allocation: AllocationState): boolean {
    return this.#allocations.delete(allocation);
  }

  get active(): boolean {
    return isActiveDeployment(this.deployment);
  }
}

/** Of deployments that have placed nothing yet; stays empty. */
const NONE: Set<AllocationState> = new Set();

export interface JobDeployments {
  /** Oldest first. */
  readonly entries: Set<DeploymentEntry>;
  /** Index of the last change among them. */
  index: number;
}

/** Deployments by id and by job. */
export class DeploymentTable {
  readonly byId: Map<string, DeploymentEntry> = new Map();
  readonly byJob: Map<JobKey, JobDeployments> = new Map();

  get(id: string): DeploymentEntry | undefined {
    return this.byId.get(id);
  }

  ofJob(namespace: string, jobId: string): JobDeployments | undefined {
    return this.byJob.get(jobKey(namespace, jobId));
  }

  /** The newest one of a job. */
  latest(namespace: string, jobId: string): DeploymentEntry | undefined {
    return [...(this.ofJob(namespace, jobId)?.entries ?? [])].at(-1);
  }

  put(deployment: Deployment): DeploymentEntry {
    const ofJob = this.#ofJob(jobKey(deployment.Namespace, deployment.JobID));
    ofJob.index = Math.max(ofJob.index, deployment.ModifyIndex);
    let entry = this.byId.get(deployment.ID);
    if (entry === undefined) {
      entry = new DeploymentEntry(deployment);
      this.byId.set(deployment.ID, entry);
      ofJob.entries.add(entry);
    }
    entry.deployment = deployment;
    return entry;
  }

  remove(entry: DeploymentEntry): void {
    const { ID, Namespace, JobID } = entry.deployment;
    this.byId.delete(ID);
    const key = jobKey(Namespace, JobID);
    const ofJob = this.byJob.get(key);
    ofJob?.entries.delete(entry);
    if (ofJob?.entries.size === 0) this.byJob.delete(key);
  }

  #ofJob(key: JobKey): JobDeployments {
    let ofJob = this.byJob.get(key);
    if (ofJob === undefined) {
      ofJob = { entries: new Set(), index: 0 };
      this.byJob.set(key, ofJob);
    }
    return ofJob;
  }
}
