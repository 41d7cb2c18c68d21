import { ALLOCATION_DESCRIPTIONS, evaluationSuccessful, sameMessage } from "@steppe/model";
import type { Outcome, Placements, Plan, PlanResult } from "@steppe/proto";
import { groupSummary } from "../job-summary.ts";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import { AllocationState, askOf, groupOf, type Origin } from "../tables/allocations.ts";
import type { DeploymentEntry } from "../tables/deployments.ts";
import { isOpen } from "../tables/evaluations.ts";
import type { JobState } from "../tables/jobs.ts";
import { keptMetrics } from "../tables/metrics.ts";
import { cancelBlocked, supersedeBlocked } from "./blocked-evaluations.ts";
import { checkPlan, isCanaryRow, isNameTaken, type Row } from "./check-plan.ts";
import { activeDeployment, countJoined, decide, type Joined, joinDeployment, succeed } from "./deployment-course.ts";
import { evaluateRobbed, preempt } from "./preempt.ts";

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
  if (!agrees(state, plan, job)) {
    return refuse(step, "stale-plan", `the deployment of job ${plan.JobID} changed while its plan was made`);
  }
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
    const deployment = begin(state, step, job, plan);
    const placing: Placing = {
      evalId: evaluation.ID,
      origins: new Map(),
      deployment,
      joined: new Map(),
      robbed: new Set(),
    };
    updateInPlace(state, step, job, plan, placing);
    for (const row of checked.rows) place(state, step, job, row, placing);
    if (deployment !== undefined) countJoined(state, step, deployment, placing.joined);
    for (const nodeId of reconnect(state, step, job, plan)) rejectedNodes.add(nodeId);
    evaluateRobbed(state, step, placing.robbed);
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

/** Nobody paused, promoted or ended the deployment since; and where one begins, no other is there. */
function agrees(state: State, plan: Plan, job: JobState | undefined): boolean {
  if (plan.Deployment !== undefined) return job !== undefined && activeDeployment(state, job) === undefined;
  if (plan.DeploymentID === "") return true;
  const entry = state.deployments.get(plan.DeploymentID);
  return entry?.active === true && entry.decidedIndex <= plan.SnapshotIndex;
}

/** The deployment that the plan's rows become part of; made where the plan begins it. */
function begin(state: State, step: Step, job: JobState, plan: Plan): DeploymentEntry | undefined {
  if (plan.Deployment === undefined) return state.deployments.get(plan.DeploymentID);
  const { CreateIndex, ModifyIndex, JobModifyIndex, Version } = job.job;
  return state.putDeployment(step, {
    ...plan.Deployment,
    ...{ JobVersion: Version, JobModifyIndex: ModifyIndex, JobSpecModifyIndex: JobModifyIndex },
    ...{ JobCreateIndex: CreateIndex, CreateIndex: step.index, CreateTime: step.time },
  });
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
      it.amend({ UnknownSince: step.time });
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
    if (!perNode && isNameTaken(state, job, allocation)) {
      refused.push(allocation.NodeID);
      continue;
    }
    state.changeAllocation(step, allocation, true, (it) => {
      it.amend({ UnknownSince: 0, FollowupEvalID: "" });
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
        it.DesiredStatus = state.texts.of(DesiredStatus);
        it.amend({ DesiredDescription: state.texts.of(DesiredDescription) });
        if (ClientStatus !== "" && !it.clientTerminal) it.ClientStatus = state.texts.of(ClientStatus);
        if (FollowupEvalID !== "") it.amend({ FollowupEvalID });
      });
    }
  }
}

/** The specification changed in nothing that a running task would notice: the allocation takes the new version over. */
function updateInPlace(state: State, step: Step, job: JobState, plan: Plan, placing: Placing): void {
  for (const { TaskGroup, AllocIDs } of plan.InPlaceUpdates) {
    const group = groupOf(job.job, TaskGroup);
    if (group === undefined) continue;
    for (const id of AllocIDs) {
      const allocation = state.allocations.get(id);
      if (allocation === undefined || allocation.terminal) continue;
      state.changeAllocation(step, allocation, true, (it) => {
        it.Job = job.job;
        it.Ask = askOf(group);
        join(state, it, placing);
      });
    }
  }
}

interface Placing {
  readonly evalId: string;
  /** By group header of the plan. */
  readonly origins: Map<Placements, Origin>;
  readonly deployment: DeploymentEntry | undefined;
  readonly joined: Joined;
  /** Jobs whose allocations were evicted. */
  readonly robbed: Set<JobState>;
}

/** Makes a running allocation part of a deployment, which then waits to hear how it fares. */
function join(state: State, allocation: AllocationState, { deployment, joined }: Placing): void {
  if (deployment?.deployment.TaskGroups[allocation.TaskGroup] === undefined) return;
  if (allocation.DeploymentID === deployment.deployment.ID) return;
  state.deployments.get(allocation.DeploymentID)?.delete(allocation);
  allocation.fare(undefined, 0);
  allocation.amend({ Reschedule: false });
  joinDeployment(deployment, allocation, joined);
}

function place(state: State, step: Step, job: JobState, row: Row, placing: Placing): void {
  const { deployment, joined, robbed } = placing;
  const { group, version, placements, row: n, slot, victims } = row;
  const origin = originOf(state, step, placements, placing);
  const allocation = new AllocationState(row.id, version, askOf(group), row.nameIndex, row.nodeId, origin);
  if (version === job.job && deployment?.deployment.TaskGroups[group.Name] !== undefined) {
    if (isCanaryRow(placements, n)) {
      allocation.fare(state.healths.of({ Healthy: undefined, Canary: true, ModifyIndex: step.index }), 0);
    }
    joinDeployment(deployment, allocation, joined);
  }
  allocation.claim(row.claims);
  allocation.Score = placements.Scores[n] ?? 0;
  const PreviousAllocation = placements.PreviousAllocations[n] ?? "";
  const RescheduleTracker = placements.RescheduleTrackers[n];
  // Most are the first of their name.
  const isFirst = PreviousAllocation === "" && RescheduleTracker === undefined;
  if (!isFirst) allocation.amend({ PreviousAllocation, RescheduleTracker });
  if (victims.length > 0) {
    allocation.amend({ PreemptedAllocations: victims.map(({ ID }) => ID) });
    preempt(state, step, allocation, victims, robbed);
  }
  state.addAllocation(step, job, allocation, slot);
  const previous = isFirst ? undefined : state.allocations.get(PreviousAllocation);
  if (previous === undefined) return;
  state.changeAllocation(step, previous, true, (it) => {
    it.amend({ NextAllocation: allocation.ID, ForceReschedule: false });
  });
}

/** Made with the first row of a group that is placed. */
function originOf(state: State, { moment }: Step, placements: Placements, { evalId, origins }: Placing): Origin {
  let origin = origins.get(placements);
  if (origin === undefined) {
    const { TaskGroup, Metrics } = placements;
    origin = { TaskGroup: state.texts.of(TaskGroup), EvalID: evalId, Metrics: keptMetrics(state, Metrics), moment };
    origins.set(placements, origin);
  }
  return origin;
}

function followUp(state: State, step: Step, plan: Plan): void {
  for (const { EvalID, AllocIDs } of plan.FollowUps) {
    for (const id of AllocIDs) {
      const allocation = state.allocations.get(id);
      if (allocation === undefined) continue;
      state.changeAllocation(step, allocation, true, (it) => {
        it.amend({ FollowupEvalID: EvalID });
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
  for (const { DeploymentID, Status, StatusDescription } of plan.DeploymentUpdates) {
    const entry = state.deployments.get(DeploymentID);
    if (entry === undefined || !entry.active) continue;
    if (Status === "successful") succeed(state, step, entry);
    else decide(state, step, entry, { Status, StatusDescription });
  }
  if (plan.Result === undefined) return;
  endEvaluation(state, step, plan, { ...plan.Result, FailedTGAllocs: failuresOf(state, plan.Result) });
  const placedAll = plan.Result.Status === "complete" && Object.keys(plan.Result.FailedTGAllocs).length === 0;
  if (placedAll) cancelBlocked(state, step, plan, evaluationSuccessful(plan.EvalID));
  if (job === undefined) return;
  const summary = state.changeSummary(step, job);
  for (const group of job.job.TaskGroups) {
    groupSummary(summary, group.Name).Queued = plan.Result.QueuedAllocations[group.Name] ?? 0;
  }
}

/** Where the blocked evaluation waits for the same, the two share them. */
function failuresOf(state: State, { FailedTGAllocs, BlockedEval }: PlanResult): PlanResult["FailedTGAllocs"] {
  const waiting = state.evaluations.get(BlockedEval)?.FailedTGAllocs;
  if (waiting === undefined) return FailedTGAllocs;
  const groups = Object.keys(FailedTGAllocs);
  const isSame =
    groups.length === Object.keys(waiting).length &&
    groups.every((it) => sameMessage("AllocMetric", waiting[it], FailedTGAllocs[it]));
  return isSame ? waiting : FailedTGAllocs;
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
    PlanAnnotations: result.Annotations ?? evaluation.PlanAnnotations,
    SnapshotIndex: plan.SnapshotIndex,
    ModifyIndex: step.index,
    ModifyTime: step.time,
  });
}
