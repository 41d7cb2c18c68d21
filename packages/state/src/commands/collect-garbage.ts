import type { CollectGarbage, DeleteEvaluations, Evaluation, Outcome, ReconcileSummaries } from "@steppe/proto";
import { groupSummary } from "../job-summary.ts";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import { isOpen } from "../tables/evaluations.ts";
import type { JobState } from "../tables/jobs.ts";
import { termPassed } from "./lease.ts";

/**
 * Takes away what was found to be needed by nothing. It was found on a replica that may have been
 * behind, so each thing is looked at once more: what lives stays. Counts in summaries stay, too.
 */
export function collectGarbage(state: State, step: Step, command: CollectGarbage): Outcome {
  if (command.Term !== 0 && termPassed(state, command.Term)) {
    return refuse(step, "stale-term", "the lease term has passed");
  }
  const removed =
    collectEach(command.Jobs, (it) => collectJob(state, step, state.jobs.get(it.Namespace, it.JobID))) +
    collectEach(command.EvalIDs, (id) => collectEvaluation(state, step, state.evaluations.get(id))) +
    collectEach(command.AllocIDs, (id) => collectAllocation(state, step, id)) +
    collectEach(command.DeploymentIDs, (id) => collectDeployment(state, step, id)) +
    collectEach(command.NodeIDs, (id) => collectNode(state, step, id));
  return done(step, { Removed: removed });
}

function collectEach<T>(items: readonly T[], collect: (item: T) => boolean): number {
  return items.filter(collect).length;
}

function collectJob(state: State, step: Step, job: JobState | undefined): boolean {
  if (job === undefined || job.job.Status !== "dead" || job.liveAllocations > 0) return false;
  if ([...job.allocations].some((allocation) => !allocation.clientTerminal)) return false;
  const { Namespace, ID } = job.job;
  const evaluations = evaluationsOf(state, Namespace, ID);
  if (evaluations.some(isOpen)) return false;
  for (const evaluation of evaluations) state.removeEvaluation(step, evaluation);
  state.forgetChild(step, job);
  state.removeJob(step, job);
  return true;
}

function evaluationsOf(state: State, namespace: string, jobId: string): Evaluation[] {
  const ids = state.evaluations.ofJob(namespace, jobId)?.ids ?? [];
  return [...ids].map((id) => state.evaluations.get(id)).filter((it) => it !== undefined);
}

function collectEvaluation(state: State, step: Step, evaluation: Evaluation | undefined): boolean {
  if (evaluation === undefined || isOpen(evaluation)) return false;
  state.removeEvaluation(step, evaluation);
  return true;
}

function collectAllocation(state: State, step: Step, id: string): boolean {
  const allocation = state.allocations.get(id);
  if (allocation === undefined || !allocation.clientTerminal) return false;
  state.removeAllocation(step, allocation, "counted");
  return true;
}

function collectDeployment(state: State, step: Step, id: string): boolean {
  const entry = state.deployments.get(id);
  if (entry === undefined || entry.active || [...entry.allocations].some((it) => !it.terminal)) return false;
  state.removeDeployment(step, entry);
  return true;
}

function collectNode(state: State, step: Step, id: string): boolean {
  const node = state.nodes.get(id);
  if (node === undefined || node.Status !== "down") return false;
  if ([...state.nodes.allocationsOf(id)].some((allocation) => !allocation.terminal)) return false;
  state.removeNode(step, id);
  return true;
}

/** A user throws evaluations away, most likely a flood of pending ones. */
export function deleteEvaluations(state: State, step: Step, { EvalIDs }: DeleteEvaluations): Outcome {
  if (!state.schedulerConfiguration.PauseEvalBroker) {
    return refuse(step, "refused", "eval broker is enabled; eval broker must be paused to delete evals");
  }
  const found = EvalIDs.map((id) => state.evaluations.get(id)).filter((it) => it !== undefined);
  const deletable = found.filter((evaluation) => !isInUse(state, evaluation));
  for (const evaluation of deletable) {
    state.removeEvaluation(step, evaluation);
    const job = state.jobs.get(evaluation.Namespace, evaluation.JobID);
    if (job !== undefined) state.refreshStatus(step, job);
  }
  return done(step, { Removed: deletable.length });
}

function isInUse(state: State, { ID, Namespace, JobID }: Evaluation): boolean {
  const job = state.jobs.get(Namespace, JobID);
  return [...(job?.allocations ?? [])].some((allocation) => allocation.EvalID === ID && !allocation.terminal);
}

const COUNTS = ["Complete", "Failed", "Running", "Starting", "Lost", "Unknown"] as const;

/** Counts anew what each job's allocations and children are; allocations that were collected are no longer counted. */
export function reconcileSummaries(state: State, step: Step, _command: ReconcileSummaries): Outcome {
  for (const job of state.jobs.byKey.values()) {
    const summary = state.changeSummary(step, job);
    for (const group of Object.values(summary.Summary)) for (const count of COUNTS) group[count] = 0;
    for (const group of job.job.TaskGroups) groupSummary(summary, group.Name);
    state.recount(step, job);
  }
  return done(step);
}
