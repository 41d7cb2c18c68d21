import { type Job, JobSummary } from "@steppe/proto";
import { jobKey } from "./changes.ts";
import { nextVersion } from "./commands/register-job.ts";
import type { JobView, StateView } from "./view.ts";

/**
 * The state as a scheduler would find it just after the job was registered, which it is not. Costs
 * one object: everything but the looked-up job is the state's own. Like the state, it moves on with
 * the next entry, so it is to be used at once and thrown away. `byKey` and its like do not show the job.
 */
export function withJob(view: StateView, job: Job): StateView {
  const existing = view.jobs.get(job.Namespace, job.ID);
  const planned = new PlannedJob(nextVersion(job, existing?.job, view.index + 1, view.time), existing);
  const { jobs } = view;
  return {
    ...{ index: view.index, time: view.time, lease: view.lease, indexes: view.indexes },
    ...{
      evaluations: view.evaluations,
      allocations: view.allocations,
      nodes: view.nodes,
      services: view.services,
      deployments: view.deployments,
      schedulerConfiguration: view.schedulerConfiguration,
      autopilotConfiguration: view.autopilotConfiguration,
      namespaces: view.namespaces,
      nodePools: view.nodePools,
      variables: view.variables,
      owed: view.owed,
    },
    jobs: {
      byKey: jobs.byKey,
      system: jobs.system,
      periodic: jobs.periodic,
      get: (namespace, id) => (jobKey(namespace, id) === planned.key ? planned : jobs.get(namespace, id)),
    },
  };
}

/** A job with a version that is not in the state, over what the one in the state has. */
class PlannedJob implements JobView {
  readonly job: Job;
  readonly versions: readonly Job[];
  readonly allocations: JobView["allocations"];
  readonly names: JobView["names"];
  readonly children: JobView["children"];
  readonly summary: JobView["summary"];
  readonly submissions: JobView["submissions"];
  readonly scalingEvents: JobView["scalingEvents"];
  readonly scalingIndex: number;
  readonly allocationsIndex: number;
  readonly lastLaunch: number;
  readonly liveAllocations: number;
  /** What it would do is shown as of a job that waits for nobody. */
  readonly rollout: number = 0;
  readonly rolloutVersion: number = 0;

  constructor(job: Job, existing: JobView | undefined) {
    this.job = job;
    this.versions = existing?.job === job ? existing.versions : [...(existing?.versions ?? []), job];
    this.allocations = existing?.allocations ?? new Set();
    this.names = existing?.names ?? new Map();
    this.children = existing?.children ?? new Set();
    this.summary = existing?.summary ?? JobSummary.create({ JobID: job.ID, Namespace: job.Namespace });
    this.submissions = existing?.submissions ?? [];
    this.scalingEvents = existing?.scalingEvents ?? new Map();
    this.scalingIndex = existing?.scalingIndex ?? 0;
    this.allocationsIndex = existing?.allocationsIndex ?? 0;
    this.lastLaunch = existing?.lastLaunch ?? 0;
    this.liveAllocations = existing?.liveAllocations ?? 0;
  }

  get key(): string {
    return jobKey(this.job.Namespace, this.job.ID);
  }

  version(version: number): Job | undefined {
    return this.versions.findLast(({ Version }) => Version === version);
  }
}
