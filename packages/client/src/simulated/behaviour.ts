// What a simulated node says of an allocation. Pure.
import { parseDuration } from "@steppe/model";
import { AllocationUpdate, type AssignedAllocation, type Job, TaskState } from "@steppe/proto";
import { isTerminal } from "../runner/client-status.ts";

/** How the allocations of one group of one job version behave. */
export interface GroupBehaviour {
  readonly tasks: readonly string[];
  /** Undefined: until stopped. */
  readonly runForMs: number | undefined;
  readonly failed: boolean;
  /** Health is reported along with running. */
  readonly healthy: boolean;
}

/** `run_for` and `exit_code` are heeded whatever the driver; restart policies are not. */
export function groupBehaviour(job: Job, groupName: string): GroupBehaviour {
  const group = job.TaskGroups.find((candidate) => candidate.Name === groupName);
  const tasks = group?.Tasks ?? [];
  const durations = tasks.map((task) => runForMs(task.Config?.run_for)).filter((ms) => ms !== undefined);
  return {
    tasks: tasks.map((task) => task.Name),
    runForMs: durations.length === 0 ? undefined : Math.max(...durations),
    failed: tasks.some((task) => Number(task.Config?.exit_code ?? 0) !== 0),
    healthy: job.Type === "service" && group?.Update !== undefined && group.Update.HealthCheck !== "manual",
  };
}

function runForMs(value: unknown): number | undefined {
  const parsed = typeof value === "string" ? parseDuration(value) : undefined;
  return parsed === undefined ? undefined : parsed / 1e6;
}

export type Move = "run" | "stop" | "resume" | "tell" | "none";

/**
 * `resume`: it runs already as far as the servers know; only its end is to be watched. `tell`: the
 * same, but a deployment waits to hear how it fares.
 */
export function decideMove(assigned: AssignedAllocation): Move {
  const { DesiredStatus, ClientStatus, DeploymentID, DeploymentStatus } = assigned;
  if (isTerminal(ClientStatus)) return "none";
  if (DesiredStatus !== "run") return "stop";
  if (ClientStatus !== "running") return "run";
  return DeploymentID !== "" && DeploymentStatus?.Healthy === undefined ? "tell" : "resume";
}

/** What is said of an allocation that runs; its ID is for whoever sends it. */
export function runningUpdate(behaviour: GroupBehaviour, nowNs: number): AllocationUpdate {
  const update = AllocationUpdate.create({ ClientStatus: "running", ClientDescription: "Tasks are running" });
  const state = TaskState.create({ State: "running", StartedAt: nowNs });
  for (const task of behaviour.tasks) update.TaskStates[task] = state;
  if (behaviour.healthy) {
    update.DeploymentStatus = { Healthy: true, Timestamp: nowNs, Canary: false, ModifyIndex: 0 };
  }
  return update;
}

export function endedUpdate(
  tasks: readonly string[],
  failed: boolean,
  startedNs: number,
  nowNs: number,
): AllocationUpdate {
  const update = AllocationUpdate.create({
    ClientStatus: failed ? "failed" : "complete",
    ClientDescription: failed ? "Failed tasks" : "All tasks have completed",
  });
  const state = TaskState.create({ State: "dead", Failed: failed, StartedAt: startedNs, FinishedAt: nowNs });
  for (const task of tasks) update.TaskStates[task] = state;
  return update;
}
