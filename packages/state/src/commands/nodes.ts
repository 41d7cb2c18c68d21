import { ALLOCATION_DESCRIPTIONS, computedClass, SECOND } from "@steppe/model";
import type {
  DeregisterNodes,
  EvaluateNode,
  Node,
  Outcome,
  RegisterNode,
  UpdateNodeEligibility,
  UpdateNodeStatus,
} from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import type { AllocationState } from "../tables/allocations.ts";
import { isUsable } from "../tables/nodes.ts";
import { NodeEvaluations } from "./evaluate-nodes.ts";
import { termPassed } from "./lease.ts";
import { withEvent } from "./node-events.ts";

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
      LastDrain: before?.LastDrain,
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
  const evaluations = new NodeEvaluations(state, step);
  if (!wasUsable && isUsable(stored)) evaluations.systemJobs([stored]);
  if (before !== undefined && before.Status !== "ready") evaluations.jobsOn([stored]);
  return done(step, evaluations.outcome());
}

export function deregisterNodes(state: State, step: Step, command: DeregisterNodes): Outcome {
  const nodes = known(state, command.NodeIDs);
  if (nodes.length < command.NodeIDs.length) return refuse(step, "refused", "node not found");
  // System jobs have nothing to place where no node is: those with allocations there are evaluated like any other.
  const evaluations = new NodeEvaluations(state, step).jobsOn(nodes);
  for (const node of nodes) {
    for (const allocation of state.nodes.allocationsOf(node.ID)) giveUp(state, step, allocation);
    state.removeNode(step, node.ID);
  }
  return done(step, evaluations.outcome());
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
      if (command.Status === "down" || command.Status === "disconnected") next.LastMissedHeartbeatIndex = step.index;
      else if (command.Status === "ready") next.LastMissedHeartbeatIndex = 0;
      state.putNode(step, next);
      return next;
    });
  return done(step, new NodeEvaluations(state, step).jobsOn(changed).systemJobs(changed.filter(isUsable)).outcome());
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
  const evaluations = new NodeEvaluations(state, step);
  if (isUsable(next)) evaluations.systemJobs([next]);
  return done(step, evaluations.outcome());
}

/** Makes every job that has, or may want, something on the node look at it again. */
export function evaluateNode(state: State, step: Step, { NodeID }: EvaluateNode): Outcome {
  const node = state.nodes.get(NodeID);
  if (node === undefined) return refuse(step, "refused", "node not found");
  return done(step, new NodeEvaluations(state, step).jobsOn([node]).systemJobs([node]).outcome());
}

/** Nobody will ever report on what ran on a purged node. */
function giveUp(state: State, step: Step, allocation: AllocationState): void {
  if (allocation.terminal) return;
  state.changeAllocation(step, allocation, true, (it) => {
    it.DesiredStatus = "stop";
    it.amend({ DesiredDescription: ALLOCATION_DESCRIPTIONS.lost });
    it.ClientStatus = "lost";
  });
}

function known(state: State, ids: readonly string[]): Node[] {
  return ids.map((id) => state.nodes.get(id)).filter((node) => node !== undefined);
}
