// How allocations fare in their deployment, and its counts of that.
import type { AllocDeploymentStatus } from "@steppe/proto";
import type { State } from "../state.ts";
import type { Step } from "../step.ts";
import type { AllocationState } from "../tables/allocations.ts";
import { amendGroup, deadlineFrom } from "./deployment-course.ts";

/** What counts change by when allocations turn healthy or unhealthy. */
export interface Turned {
  readonly healthy: number;
  readonly unhealthy: number;
  /** Some turned healthy, which is progress. */
  readonly isProgress: boolean;
}

type Said = Pick<AllocDeploymentStatus, "Healthy" | "Timestamp">;

/** A node or a user says how an allocation fares. What is known to be unhealthy stays so, unless a user says otherwise. */
export function takeHealth(state: State, step: Step, allocation: AllocationState, said: Said): void {
  const turned = judge(state, step, allocation, said);
  if (turned !== undefined) countHealth(state, step, allocation, turned);
}

/** The same without the counts, which are the caller's to keep; undefined when nothing changed. */
export function judge(state: State, step: Step, allocation: AllocationState, said: Said): Turned | undefined {
  const before = allocation.isHealthy;
  const { Healthy, Timestamp } = said;
  if (Healthy === undefined || Healthy === before) return undefined;
  const health = state.healths.of({ Healthy, Canary: allocation.isCanary, ModifyIndex: step.index });
  allocation.fare(health, Timestamp);
  return TURNED[Number(Healthy)]?.[before === undefined ? 0 : 1];
}

/** By whether it is healthy now, and by whether the opposite was known before. */
const TURNED: readonly (readonly Turned[])[] = [
  [
    { healthy: 0, unhealthy: 1, isProgress: false },
    { healthy: -1, unhealthy: 1, isProgress: false },
  ],
  [
    { healthy: 1, unhealthy: 0, isProgress: true },
    { healthy: 1, unhealthy: -1, isProgress: true },
  ],
];

export function countHealth(
  state: State,
  step: Step,
  { DeploymentID, TaskGroup }: Pick<AllocationState, "DeploymentID" | "TaskGroup">,
  { healthy, unhealthy, isProgress }: Turned,
): void {
  const entry = state.deployments.get(DeploymentID);
  if (entry === undefined || !entry.active) return;
  amendGroup(state, step, entry, TaskGroup, (group) => ({
    HealthyAllocs: group.HealthyAllocs + healthy,
    UnhealthyAllocs: group.UnhealthyAllocs + unhealthy,
    RequireProgressBy: isProgress
      ? Math.max(group.RequireProgressBy, deadlineFrom(group, step.time))
      : group.RequireProgressBy,
  }));
}

/** Counts of many allocations, told to each group of a deployment once. */
export class HealthTally {
  readonly #groups: Map<string, Map<string, Turned>> = new Map();

  add({ DeploymentID, TaskGroup }: AllocationState, turned: Turned): void {
    let groups = this.#groups.get(DeploymentID);
    if (groups === undefined) {
      groups = new Map();
      this.#groups.set(DeploymentID, groups);
    }
    const so = groups.get(TaskGroup) ?? NOTHING;
    groups.set(TaskGroup, {
      healthy: so.healthy + turned.healthy,
      unhealthy: so.unhealthy + turned.unhealthy,
      isProgress: so.isProgress || turned.isProgress,
    });
  }

  settle(state: State, step: Step): void {
    for (const [DeploymentID, groups] of this.#groups) {
      for (const [TaskGroup, turned] of groups) countHealth(state, step, { DeploymentID, TaskGroup }, turned);
    }
  }
}

const NOTHING: Turned = { healthy: 0, unhealthy: 0, isProgress: false };
