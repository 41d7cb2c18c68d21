import { ALLOCATION_DESCRIPTIONS, evaluationSuccessful } from "@steppe/model";
import type { Outcome, Plan, PlanResult } from "@steppe/proto";
import { groupSummary, type State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import { AllocationState, askOf, groupOf } from "../tables/allocations.ts";
import { isOpen } from "../tables/evaluations.ts";
import type { JobState } from "../tables/jobs.ts";
import { cancelBlocked, supersedeBlocked } from "./blocked-evaluations.ts";
import { checkPlan, type Row } from "./check-plan.ts";

/**
 * Commits what still fits of a plan, and ends its evaluation when that was all of it. Otherwise
 * the outcome names the nodes whose rows were refused, and the worker decides again.
 */
export function applyPlan(state: State, step: Step, plan: Plan): Outcome {
  const evaluation = state.evaluations.get(plan.EvalID);
  if (evaluation === undefined || !isOpen(evaluation)) {
    return refuse(step, "stale-plan", `evaluation ${plan.EvalID} is not open`);
  }
  const job = state.jobs.get(plan.Namespace, plan.JobID);
  if (!describes(plan, job)) return refuse(step, "stale-plan", `job ${plan.JobID} changed while its plan was made`);
  const stopped = stoppedBy(state, plan);
  const disconnected = disconnectedBy(state, plan);
  const checked =
    job === undefined
      ? { rows: [], rejectedNodes: new Set<string>() }
      : checkPlan(state, job, plan, stopped, disconnected);
  if (plan.AllAtOnce && checked.rejectedNodes.size > 0) {
    return done(step, { RejectedNodes: [...checked.rejectedNodes] });
  }
  const rejectedNodes = new Set(checked.rejectedNodes);
  stop(state, step, plan);
  disconnect(state, step, disconnected);
  if (job !== undefined) {
    updateInPlace(state, step, job, plan);
    for (const row of checked.rows) place(state, step, job, row, plan.EvalID);
    for (const nodeId of reconnect(state, step, job, plan)) rejectedNodes.add(nodeId);
  }
  followUp(state, step, plan);
  if (rejectedNodes.size === 0) finish(state, step, plan, job);
  if (job !== undefined) state.refreshStatus(step, job);
  return done(step, { Placed: checked.rows.length, RejectedNodes: [...rejectedNodes] });
}

/** The plan was made for this job and no other version of it. */
function describes(plan: Plan, job: JobState | undefined): boolean {
  if (job === undefined) return plan.JobCreateIndex === 0;
  return plan.JobCreateIndex === job.job.CreateIndex && plan.JobModifyIndex === job.job.JobModifyIndex;
}

function stoppedBy(state: State, plan: Plan): Set<AllocationState> {
  const stopped = new Set<AllocationState>();
  for (const stops of plan.Stops) {
    for (const id of stops.AllocIDs) {
      const allocation = state.allocations.get(id);
      if (allocation !== undefined && !allocation.terminal) stopped.add(allocation);
    }
  }
  return stopped;
}

/** Live allocations that lose their name, while they go on holding their resources. */
function disconnectedBy(state: State, plan: Plan): Set<AllocationState> {
  const disconnected = new Set<AllocationState>();
  for (const id of plan.Disconnects) {
    const allocation = state.allocations.get(id);
    if (allocation !== undefined && !allocation.terminal) disconnected.add(allocation);
  }
  return disconnected;
}

function disconnect(state: State, step: Step, disconnected: ReadonlySet<AllocationState>): void {
  for (const allocation of disconnected) {
    // The agent hears of it when it is back, and tells what runs.
    state.changeAllocation(step, allocation, true, (it) => {
      it.ClientStatus = "unknown";
      it.ClientDescription = ALLOCATION_DESCRIPTIONS.unknown;
      it.UnknownSince = step.time;
    });
  }
}

/** What was unknown takes its name again. Returns the nodes of those whose name another one has. */
function reconnect(state: State, step: Step, job: JobState, plan: Plan): string[] {
  const refused: string[] = [];
  const perNode = job.job.Type === "system" || job.job.Type === "sysbatch";
  for (const id of plan.Reconnects) {
    const allocation = state.allocations.get(id);
    if (allocation === undefined || allocation.terminal || allocation.UnknownSince === 0) continue;
    if (!perNode && job.names.get(allocation.TaskGroup)?.has(allocation.NameIndex) === true) {
      refused.push(allocation.NodeID);
      continue;
    }
    state.changeAllocation(step, allocation, true, (it) => {
      it.UnknownSince = 0;
      it.FollowupEvalID = "";
      it.ClientDescription = "";
    });
  }
  return refused;
}

function stop(state: State, step: Step, plan: Plan): void {
  for (const { AllocIDs, DesiredStatus, DesiredDescription, ClientStatus, FollowupEvalID } of plan.Stops) {
    for (const id of AllocIDs) {
      const allocation = state.allocations.get(id);
      if (allocation === undefined) continue;
      state.changeAllocation(step, allocation, true, (it) => {
        it.DesiredStatus = DesiredStatus;
        it.DesiredDescription = DesiredDescription;
        if (ClientStatus !== "" && !it.clientTerminal) it.ClientStatus = ClientStatus;
        if (FollowupEvalID !== "") it.FollowupEvalID = FollowupEvalID;
      });
    }
  }
}

/** The specification changed in nothing that a running task would notice: the allocation takes the new version over. */
function updateInPlace(state: State, step: Step, job: JobState, plan: Plan): void {
  for (const { TaskGroup, AllocIDs } of plan.InPlaceUpdates) {
    const group = groupOf(job.job, TaskGroup);
    if (group === undefined) continue;
    for (const id of AllocIDs) {
      const allocation = state.allocations.get(id);
      if (allocation === undefined || allocation.terminal) continue;
      state.changeAllocation(step, allocation, true, (it) => {
        it.Job = job.job;
        it.Ask = askOf(group);
      });
    }
  }
}

function place(state: State, step: Step, job: JobState, row: Row, evalId: string): void {
  const { group, placements, row: n } = row;
  const allocation = new AllocationState(
    row.id,
    job.job,
    group,
    row.nameIndex,
    row.nodeId,
    evalId,
    step.index,
    step.time,
  );
  allocation.Metrics = placements.Metrics;
  allocation.Score = placements.Scores[n] ?? 0;
  allocation.PreviousAllocation = placements.PreviousAllocations[n] ?? "";
  allocation.RescheduleTracker = placements.RescheduleTrackers[n];
  state.addAllocation(step, job, allocation);
  const previous = state.allocations.get(allocation.PreviousAllocation);
  if (previous === undefined) return;
  state.changeAllocation(step, previous, true, (it) => {
    it.NextAllocation = allocation.ID;
    it.ForceReschedule = false;
  });
}

function followUp(state: State, step: Step, plan: Plan): void {
  for (const { EvalID, AllocIDs } of plan.FollowUps) {
    for (const id of AllocIDs) {
      const allocation = state.allocations.get(id);
      if (allocation === undefined) continue;
      state.changeAllocation(step, allocation, true, (it) => {
        it.FollowupEvalID = EvalID;
      });
    }
  }
}

function finish(state: State, step: Step, plan: Plan, job: JobState | undefined): void {
  for (const evaluation of plan.Evaluations) {
    if (state.evaluations.get(evaluation.ID) !== undefined) continue;
    state.putEvaluation(step, {
      ...evaluation,
      ...{ CreateIndex: step.index, ModifyIndex: step.index, CreateTime: step.time, ModifyTime: step.time },
    });
    if (evaluation.Status === "blocked") supersedeBlocked(state, step, evaluation);
  }
  if (plan.Result === undefined) return;
  endEvaluation(state, step, plan, plan.Result);
  const placedAll = plan.Result.Status === "complete" && Object.keys(plan.Result.FailedTGAllocs).length === 0;
  if (placedAll) cancelBlocked(state, step, plan, evaluationSuccessful(plan.EvalID));
  if (job === undefined) return;
  for (const group of job.job.TaskGroups) {
    groupSummary(job.summary, group.Name).Queued = plan.Result.QueuedAllocations[group.Name] ?? 0;
  }
  state.touchSummary(step, job);
}

function endEvaluation(state: State, step: Step, plan: Plan, result: PlanResult): void {
  const evaluation = state.evaluations.get(plan.EvalID);
  if (evaluation === undefined) return;
  state.putEvaluation(step, {
    ...evaluation,
    Status: result.Status,
    StatusDescription: result.StatusDescription,
    BlockedEval: result.BlockedEval,
    NextEval: result.NextEval,
    FailedTGAllocs: result.FailedTGAllocs,
    QueuedAllocations: result.QueuedAllocations,
    ClassEligibility: result.ClassEligibility,
    EscapedComputedClass: result.EscapedComputedClass,
    DeploymentID: result.DeploymentID || evaluation.DeploymentID,
    SnapshotIndex: plan.SnapshotIndex,
    ModifyIndex: step.index,
    ModifyTime: step.time,
  });
}
