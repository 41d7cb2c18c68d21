import type { AssignedAllocation, Job } from "@steppe/proto";

/** The job versions that a stream has carried: allocations refer to them. */
export class JobCache {
  readonly #jobs = new Map<string, Job>();

  add(jobs: readonly Job[]): void {
    for (const job of jobs) this.#jobs.set(key(job.Namespace, job.ID, job.Version), job);
  }

  find({ Namespace, JobID, JobVersion }: AssignedAllocation): Job | undefined {
    return this.#jobs.get(key(Namespace, JobID, JobVersion));
  }

  /** A new stream carries everything anew. */
  clear(): void {
    this.#jobs.clear();
  }
}

function key(namespace: string, id: string, version: number): string {
  return `${namespace}\0${id}\0${version}`;
}
