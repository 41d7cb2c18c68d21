// The closed lists of states, and which of them are final. The texts are the API's own.
import type { Allocation, Evaluation, TaskState } from "@steppe/proto";

export const JOB_TYPES = ["service", "batch", "system", "sysbatch"] as const;
export type JobType = (typeof JOB_TYPES)[number];

export const JOB_STATUSES = ["pending", "running", "dead"] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

export const EVALUATION_STATUSES = ["blocked", "pending", "complete", "failed", "canceled"] as const;
export type EvaluationStatus = (typeof EVALUATION_STATUSES)[number];

/** What the servers want of an allocation. */
export const DESIRED_STATUSES = ["run", "stop", "evict"] as const;
export type DesiredStatus = (typeof DESIRED_STATUSES)[number];

/** What the node last reported of an allocation. */
export const CLIENT_STATUSES = ["pending", "running", "complete", "failed", "lost", "unknown"] as const;
export type ClientStatus = (typeof CLIENT_STATUSES)[number];

export const NODE_ELIGIBILITIES = ["eligible", "ineligible"] as const;
export type NodeEligibility = (typeof NODE_ELIGIBILITIES)[number];

/** Why an evaluation was made. */
export const TRIGGERS = [
  "job-register",
  "job-deregister",
  "periodic-job",
  "node-drain",
  "node-update",
  "alloc-stop",
  "scheduled",
  "rolling-update",
  "deployment-watcher",
  "failed-follow-up",
  "max-plan-attempts",
  "alloc-failure",
  "queued-allocs",
  "preemption",
  "job-scaling",
  "max-disconnect-timeout",
  "reconnect",
  "alloc-reschedule",
] as const;
export type Trigger = (typeof TRIGGERS)[number];

/** The node will report nothing more of it. */
export function isClientTerminal(allocation: Pick<Allocation, "ClientStatus">): boolean {
  const { ClientStatus } = allocation;
  return ClientStatus === "complete" || ClientStatus === "failed" || ClientStatus === "lost";
}

/** Told to stop. Its resources count as free for planning, though the node may still be stopping it. */
export function isServerTerminal(allocation: Pick<Allocation, "DesiredStatus">): boolean {
  return allocation.DesiredStatus === "stop" || allocation.DesiredStatus === "evict";
}

/** Over, or told to be. */
export function isTerminalAllocation(allocation: Pick<Allocation, "DesiredStatus" | "ClientStatus">): boolean {
  return isServerTerminal(allocation) || isClientTerminal(allocation);
}

/** Never to be processed again. A blocked evaluation is neither terminal nor in the broker. */
export function isTerminalEvaluation(evaluation: Pick<Evaluation, "Status">): boolean {
  const { Status } = evaluation;
  return Status === "complete" || Status === "failed" || Status === "canceled";
}

/** The broker is to hand it out. */
export function isEnqueueableEvaluation(evaluation: Pick<Evaluation, "Status">): boolean {
  return evaluation.Status === "pending";
}

/** May still change what runs. */
export function isActiveDeployment(deployment: { readonly Status: string }): boolean {
  return ["initializing", "running", "paused", "blocked", "unblocking", "pending"].includes(deployment.Status);
}

/** Every task ended well. False when the node has not reported any task yet. */
export function ranSuccessfully(allocation: { readonly TaskStates: Readonly<Record<string, TaskState>> }): boolean {
  const states = Object.values(allocation.TaskStates);
  return states.length > 0 && states.every((state) => state.State === "dead" && !state.Failed);
}
