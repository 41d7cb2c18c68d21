import {
  type CompleteDrains,
  DrainMetadata,
  type DrainSpec,
  DrainStrategy,
  type MigrateAllocations,
  type Node,
  type Outcome,
  type UpdateNodeDrain,
} from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import { NodeEvaluations } from "./evaluate-nodes.ts";
import { termPassed } from "./lease.ts";
import { withEvent } from "./node-events.ts";

/**
 * Begins, changes or ends the drain of a node. Nothing is moved here: the leader's drainer does
 * that, at the pace of each group. A node that drains takes no placements, and takes them again only when
 * somebody says so.
 */
export function updateNodeDrain(state: State, step: Step, command: UpdateNodeDrain): Outcome {
  const node = state.nodes.get(command.NodeID);
  if (node === undefined) return refuse(step, "refused", "node not found");
  const { DrainSpec: spec } = command;
  const next = spec === undefined ? undrained(node, step, command) : drained(node, step, spec, command.Meta);
  state.putNode(step, next);
  const opened = spec === undefined && node.SchedulingEligibility === "ineligible" && command.MarkEligible;
  const evaluations = new NodeEvaluations(state, step);
  if (opened) evaluations.jobsOn([next]).systemJobs([next]);
  return done(step, evaluations.outcome());
}

function drained(node: Node, step: Step, spec: DrainSpec, meta: Record<string, string>): Node {
  const before = node.DrainStrategy;
  const strategy: DrainStrategy = {
    ...DrainStrategy.create(),
    ...spec,
    StartedAt: before?.StartedAt ?? step.time,
    ForceDeadline: spec.Deadline > 0 ? step.time + spec.Deadline : 0,
  };
  const metadata: DrainMetadata = {
    ...DrainMetadata.create(),
    StartedAt: strategy.StartedAt,
    UpdatedAt: step.time,
    Status: "draining",
    Meta: meta,
  };
  const fields = { DrainStrategy: strategy, Drain: true, SchedulingEligibility: "ineligible", LastDrain: metadata };
  const message = before === undefined ? "Node drain strategy set" : "Node drain strategy updated";
  return withEvent({ ...node, ...fields, ModifyIndex: step.index }, step, message, "Drain");
}

function undrained(node: Node, step: Step, { MarkEligible, Meta }: UpdateNodeDrain): Node {
  const eligibility = MarkEligible ? { SchedulingEligibility: "eligible" } : {};
  const wasDraining = node.DrainStrategy !== undefined;
  const ended = wasDraining ? withDrainEnded(node, step, "canceled", Meta) : node;
  const message = wasDraining ? "Node drain disabled" : "";
  return withEvent({ ...ended, ...eligibility, ModifyIndex: step.index }, step, message, "Drain");
}

/** The node stays ineligible. */
function withDrainEnded(node: Node, step: Step, status: string, meta: Record<string, string> = {}): Node {
  const last = node.LastDrain ?? { ...DrainMetadata.create(), StartedAt: node.DrainStrategy?.StartedAt ?? 0 };
  const LastDrain = { ...last, Status: status, UpdatedAt: step.time, Meta: { ...last.Meta, ...meta } };
  return { ...node, DrainStrategy: undefined, Drain: false, LastDrain, ModifyIndex: step.index };
}

/** Nothing that the drain was to move is left. A drain that was ended in the meantime stays as it is. */
export function completeDrains(state: State, step: Step, command: CompleteDrains): Outcome {
  if (termPassed(state, command.Term)) return refuse(step, "stale-term", "the lease term has passed");
  for (const id of command.NodeIDs) {
    const node = state.nodes.get(id);
    if (node?.DrainStrategy === undefined) continue;
    state.putNode(step, withEvent(withDrainEnded(node, step, "complete"), step, "Node drain complete", "Drain"));
  }
  return done(step);
}

/** Marks what is to leave its node, with one evaluation a job that places it elsewhere. */
export function migrateAllocations(state: State, step: Step, command: MigrateAllocations): Outcome {
  if (termPassed(state, command.Term)) return refuse(step, "stale-term", "the lease term has passed");
  const evaluations = new NodeEvaluations(state, step, "node-drain");
  for (const id of command.AllocIDs) {
    const allocation = state.allocations.get(id);
    if (allocation === undefined || allocation.terminal || allocation.Migrate) continue;
    // The agent has nothing to do yet: it hears of it when the scheduler stops the allocation.
    state.changeAllocation(step, allocation, false, (it) => {
      it.amend({ Migrate: true });
    });
    evaluations.jobOf(allocation, state.nodes.get(allocation.NodeID));
  }
  return done(step, evaluations.outcome());
}
