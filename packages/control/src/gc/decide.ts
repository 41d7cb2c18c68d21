// What nothing needs any more. Pure: looks at a view and a time.
import type { Evaluation, GarbageJob, Job, Node } from "@steppe/proto";
import { type AllocationView, isOpen, type JobView, type StateView } from "@steppe/state";

/** What changed last at or before these times is old enough. Unix nanoseconds. */
export interface Cutoffs {
  readonly jobs: number;
  readonly evaluations: number;
  /** Of batch jobs that are dead and still there. */
  readonly batchEvaluations: number;
  readonly deployments: number;
  readonly nodes: number;
}

export interface Garbage {
  readonly Jobs: GarbageJob[];
  readonly EvalIDs: string[];
  readonly AllocIDs: string[];
  readonly DeploymentIDs: string[];
  readonly NodeIDs: string[];
}

export function noGarbage(): Garbage {
  return { Jobs: [], EvalIDs: [], AllocIDs: [], DeploymentIDs: [], NodeIDs: [] };
}

export type GcView = Pick<StateView, "jobs" | "evaluations" | "deployments" | "nodes">;

/**
 * Walks everything, one job, deployment or node a step: a step gives what of it is garbage, so that
 * its caller can rest between steps. Entries may apply between steps.
 */
export function* findGarbage(view: GcView, cutoffs: Cutoffs): Generator<Garbage, void> {
  for (const key of keysOf(view)) yield ofJobKey(view, key, cutoffs);
  for (const { deployment, active, allocations } of view.deployments.byId.values()) {
    const isGarbage =
      !active && deployment.ModifyTime <= cutoffs.deployments && ![...allocations].some((it) => !it.terminal);
    yield isGarbage ? { ...noGarbage(), DeploymentIDs: [deployment.ID] } : noGarbage();
  }
  for (const node of view.nodes.nodes) {
    if (node === undefined) continue;
    yield isNodeGarbage(view, node, cutoffs) ? { ...noGarbage(), NodeIDs: [node.ID] } : noGarbage();
  }
}

/** Jobs, and those purged ones whose evaluations are left. */
function keysOf({ jobs, evaluations }: GcView): Set<string> {
  return new Set([...jobs.byKey.keys(), ...evaluations.byJob.keys()]);
}

function ofJobKey(view: GcView, key: string, cutoffs: Cutoffs): Garbage {
  const job = view.jobs.byKey.get(key);
  const ids = view.evaluations.byJob.get(key)?.ids ?? [];
  const evaluations = [...ids].map((id) => view.evaluations.get(id)).filter((it) => it !== undefined);
  const garbage = noGarbage();
  if (job !== undefined && isJobGarbage(job, evaluations, cutoffs.jobs)) {
    garbage.Jobs.push({ Namespace: job.job.Namespace, JobID: job.job.ID });
    return garbage;
  }
  const needed = new Set<string>();
  for (const allocation of job?.allocations ?? []) {
    if (isAllocationGarbage(allocation, job?.job, cutoffs)) garbage.AllocIDs.push(allocation.ID);
    else needed.add(allocation.EvalID);
  }
  for (const evaluation of evaluations) {
    const isNeeded = needed.has(evaluation.ID) || isOpen(evaluation);
    if (!isNeeded && evaluation.ModifyTime <= cutoffOf(job?.job, cutoffs)) garbage.EvalIDs.push(evaluation.ID);
  }
  return garbage;
}

/** A dead job that is stopped, or that has run its course, and of which nothing lives. */
function isJobGarbage(job: JobView, evaluations: readonly Evaluation[], cutoff: number): boolean {
  const { Status, Stop, SubmitTime } = job.job;
  if (Status !== "dead" || !(Stop || runsOnce(job.job)) || SubmitTime > cutoff) return false;
  if (job.liveAllocations > 0) return false;
  if (evaluations.some((it) => isOpen(it) || it.ModifyTime > cutoff)) return false;
  for (const allocation of job.allocations) {
    if (!allocation.clientTerminal || allocation.ModifyTime > cutoff) return false;
  }
  return true;
}

function runsOnce({ Type, Periodic, ParameterizedJob, Dispatched }: Job): boolean {
  if (Type !== "batch" && Type !== "sysbatch") return false;
  return Periodic === undefined && (ParameterizedJob === undefined || Dispatched);
}

/** The scheduler looks at what ended: a batch task that is done must not run again, a failed one is to be followed. */
function isAllocationGarbage(allocation: AllocationView, job: Job | undefined, cutoffs: Cutoffs): boolean {
  if (!allocation.clientTerminal || allocation.ModifyTime > cutoffOf(job, cutoffs)) return false;
  if (job === undefined || job.Status === "dead") return true;
  if (job.Type === "batch" || job.Type === "sysbatch") return allocation.Job.Version < job.Version && !job.Stop;
  if (allocation.DesiredStatus !== "run" || allocation.NextAllocation !== "") return true;
  return allocation.ClientStatus === "complete" || allocation.ClientStatus === "lost";
}

function cutoffOf(job: Job | undefined, cutoffs: Cutoffs): number {
  const isBatch = job !== undefined && (job.Type === "batch" || job.Type === "sysbatch");
  return isBatch ? cutoffs.batchEvaluations : cutoffs.evaluations;
}

function isNodeGarbage(view: GcView, node: Node, cutoffs: Cutoffs): boolean {
  if (node.Status !== "down" || node.StatusUpdatedAt * 1e9 > cutoffs.nodes) return false;
  for (const allocation of view.nodes.allocationsOf(node.ID)) if (!allocation.terminal) return false;
  return true;
}
