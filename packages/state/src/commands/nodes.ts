import { computedClass, SECOND } from "@steppe/model";
import type {
  DeregisterNodes,
  Node,
  Outcome,
  RegisterNode,
  UpdateNodeEligibility,
  UpdateNodeStatus,
} from "@steppe/proto";
import { NodeEvent } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import type { AllocationState } from "../tables/allocations.ts";
import type { JobState } from "../tables/jobs.ts";
import { isUsable } from "../tables/nodes.ts";
import { createEvaluation } from "./create-evaluation.ts";
import { termPassed } from "./lease.ts";

/** Events kept a node, oldest dropped first (the peer keeps as many). */
const EVENTS_MAX = 10;

/** Adds a node or takes over what its agent now says of it. The secret of an id never changes. */
export function registerNode(state: State, step: Step, command: RegisterNode): Outcome {
  const node = command.Node;
  if (node === undefined || node.ID === "") return refuse(step, "invalid", "missing node ID");
  const before = state.nodes.get(node.ID);
  if (before !== undefined && before.SecretID !== node.SecretID) {
    return refuse(step, "refused", "node secret ID does not match. Not registering node.");
  }
  const stored = withEvent(
    {
      ...node,
      Status: "ready",
      SchedulingEligibility: before?.SchedulingEligibility || node.SchedulingEligibility || "eligible",
      DrainStrategy: before?.DrainStrategy,
      Drain: before?.Drain ?? false,
      Events: before?.Events ?? [],
      ComputedClass: "",
      CreateIndex: before?.CreateIndex ?? step.index,
      ModifyIndex: step.index,
      StatusUpdatedAt: Math.floor(step.time / SECOND),
    },
    step,
    before === undefined ? "Node registered" : "Node re-registered",
  );
  stored.ComputedClass = computedClass(stored);
  state.putNode(step, stored);
  const wasUsable = before !== undefined && isUsable(before) && before.ComputedClass === stored.ComputedClass;
  if (!wasUsable && isUsable(stored)) evaluateSystemJobs(state, step, [stored]);
  if (before !== undefined && before.Status !== "ready") evaluateJobsOn(state, step, [stored], new Set());
  return done(step);
}

export function deregisterNodes(state: State, step: Step, command: DeregisterNodes): Outcome {
  const nodes = known(state, command.NodeIDs);
  if (nodes.length < command.NodeIDs.length) return refuse(step, "refused", "node not found");
  evaluateJobsOn(state, step, nodes, new Set());
  for (const node of nodes) {
    for (const allocation of state.nodes.allocationsOf(node.ID)) giveUp(state, step, allocation);
    state.removeNode(step, node.ID);
  }
  return done(step);
}

/** Nodes that went down or came back, with one evaluation for each job that this touches. */
export function updateNodeStatus(state: State, step: Step, command: UpdateNodeStatus): Outcome {
  if (command.Term !== 0 && termPassed(state, command.Term))
    return refuse(step, "stale-term", "the lease term has passed");
  const changed = known(state, command.NodeIDs)
    .filter((node) => node.Status !== command.Status)
    .map((node) => {
      const next = withEvent({ ...node, Status: command.Status, ModifyIndex: step.index }, step, command.Message);
      next.StatusUpdatedAt = Math.floor(step.time / SECOND);
      if (command.Status === "down") next.LastMissedHeartbeatIndex = step.index;
      else if (command.Status === "ready") next.LastMissedHeartbeatIndex = 0;
      state.putNode(step, next);
      return next;
    });
  const evaluated = new Set<JobState>();
  evaluateJobsOn(state, step, changed, evaluated);
  evaluateSystemJobs(state, step, changed.filter(isUsable), evaluated);
  return done(step);
}

export function updateNodeEligibility(state: State, step: Step, command: UpdateNodeEligibility): Outcome {
  const node = state.nodes.get(command.NodeID);
  if (node === undefined) return refuse(step, "refused", "node not found");
  if (node.SchedulingEligibility === command.Eligibility) return done(step);
  if (node.Drain && command.Eligibility === "eligible") {
    return refuse(step, "refused", "can not set node's scheduling eligibility to eligible while it is draining");
  }
  const message = `Node marked as ${command.Eligibility} for scheduling`;
  const next = withEvent(
    { ...node, SchedulingEligibility: command.Eligibility, ModifyIndex: step.index },
    step,
    message,
  );
  state.putNode(step, next);
  if (isUsable(next)) evaluateSystemJobs(state, step, [next]);
  return done(step);
}

/** Nobody will ever report on what ran on a purged node. */
function giveUp(state: State, step: Step, allocation: AllocationState): void {
  if (allocation.terminal) return;
  state.changeAllocation(step, allocation, true, (it) => {
    it.DesiredStatus = "stop";
    it.DesiredDescription = "alloc is lost since its node is down";
    it.ClientStatus = "lost";
  });
}

function known(state: State, ids: readonly string[]): Node[] {
  return ids.map((id) => state.nodes.get(id)).filter((node) => node !== undefined);
}

function withEvent(node: Node, step: Step, message: string): Node {
  if (message === "") return node;
  const event: NodeEvent = {
    ...NodeEvent.create(),
    Message: message,
    Subsystem: "Cluster",
    Timestamp: step.time,
    CreateIndex: step.index,
  };
  return { ...node, Events: [...node.Events, event].slice(-EVENTS_MAX) };
}

/** Jobs with live allocations on the nodes must look at them again. */
function evaluateJobsOn(state: State, step: Step, nodes: readonly Node[], evaluated: Set<JobState>): void {
  for (const node of nodes) {
    for (const allocation of state.nodes.allocationsOf(node.ID)) {
      if (allocation.terminal) continue;
      evaluateOnce(state, step, state.jobs.get(allocation.Namespace, allocation.JobID), node, evaluated);
    }
  }
}

/** System jobs may have to run on nodes that became usable. */
function evaluateSystemJobs(
  state: State,
  step: Step,
  nodes: readonly Node[],
  evaluated: Set<JobState> = new Set(),
): void {
  const [node] = nodes;
  if (node === undefined) return;
  for (const job of state.jobs.system) evaluateOnce(state, step, job, node, evaluated);
}

function evaluateOnce(state: State, step: Step, job: JobState | undefined, node: Node, evaluated: Set<JobState>): void {
  if (job === undefined || evaluated.has(job)) return;
  evaluated.add(job);
  createEvaluation(state, step, job.job, "node-update", { NodeID: node.ID, NodeModifyIndex: node.ModifyIndex });
  state.refreshStatus(step, job);
}
