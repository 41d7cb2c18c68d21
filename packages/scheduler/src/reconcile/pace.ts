import type { DeploymentState } from "@steppe/proto";
import type { AllocationView } from "@steppe/state";
import type { GroupChanges } from "./changes.ts";
import { present } from "./disconnect.ts";
import type { GroupOptions, Sorted } from "./group.ts";
import { type GroupRollout, isCanarying } from "./rollout.ts";

/** How fast a group may change in this pass. */
export interface Pace {
  /** How many running allocations may be replaced, less what else is placed. */
  readonly destructiveMax: number;
  /** Nothing new is placed: only what was lost or failed is replaced. */
  readonly held: boolean;
  /** The group's part of the deployment under way or beginning. */
  readonly state: DeploymentState | undefined;
}

export function paceOf(options: GroupOptions, sorted: Sorted, begun: DeploymentState | undefined): Pace {
  const { group, rollout } = options;
  const state = begun ?? rollout.state;
  if (!rollout.deploys) return { destructiveMax: Number.POSITIVE_INFINITY, held: false, state };
  const held = isHeld(rollout, state);
  const most = (group.Update?.MaxParallel ?? 0) - inFlight(sorted, options);
  return { destructiveMax: held ? 0 : Math.max(0, most), held, state };
}

/** Nothing new is placed. */
export function isHeld({ deploys, status }: GroupRollout, state: DeploymentState | undefined): boolean {
  return deploys && (isCanarying(state) || status === "paused" || status === "failed");
}

/** Those of the deployment that are not healthy yet; with an unhealthy one, all there is room for. */
function inFlight(sorted: Sorted, options: GroupOptions): number {
  // For what leaves a node another one is placed in this pass.
  const part = present({ ...sorted, migrate: [] }).filter((it) => isPart(it, options));
  if (part.some((it) => it.isHealthy === false)) return Number.POSITIVE_INFINITY;
  return part.filter((it) => !isHealthy(it)).length;
}

/** The deployment has nothing left to do for the group, and all it placed is healthy. */
export function isComplete(
  { wanted, inPlace, later, heldBack }: Pick<GroupChanges, "wanted" | "inPlace" | "later" | "heldBack">,
  sorted: readonly Sorted[],
  options: GroupOptions,
): boolean {
  const { state, status } = options.rollout;
  if (state === undefined || status !== "running" || isCanarying(state)) return false;
  if (wanted.length + inPlace.length + later.length + heldBack > 0) return false;
  if (sorted.some(({ wait, spent }) => wait.length + spent.length > 0)) return false;
  if (state.HealthyAllocs < Math.max(state.DesiredTotal, state.DesiredCanaries)) return false;
  return sorted.every((it) => present(it).every((one) => !isPart(one, options) || isHealthy(one)));
}

function isPart({ DeploymentID }: AllocationView, { rollout }: GroupOptions): boolean {
  return rollout.deploymentId !== "" && DeploymentID === rollout.deploymentId;
}

function isHealthy(allocation: AllocationView): boolean {
  return allocation.isHealthy === true;
}
