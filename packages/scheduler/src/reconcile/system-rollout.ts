// How an update of a system job goes over its nodes: as a deployment, as those of service jobs.
import type { DeploymentState, TaskGroup } from "@steppe/proto";
import type { AllocationView } from "@steppe/state";
import { beginGroup, type GroupRollout, isCanarying } from "./rollout.ts";

/** A group of a system job and where it stands. Filled allocation by allocation, then `settle`d. */
export class GroupOnNodes {
  readonly group: TaskGroup;
  /** Slots that need no further allocation. */
  readonly served: Set<number> = new Set();
  /** By slot: the running allocation that the next one there replaces. */
  readonly replaced: Map<number, AllocationView> = new Map();
  /** Those of `replaced` that are tried before the others follow. */
  readonly canaries: Set<number> = new Set();
  /** Run an older version that the new one cannot take over, by slot. */
  readonly outdated: Map<number, AllocationView> = new Map();
  /** Live allocations of the deployment under way. */
  readonly part: AllocationView[] = [];
  /** Some allocation runs the job as it is. */
  hasCurrent = false;
  /** Older allocations take the new version over where they are. */
  inPlace = 0;
  /** One of the deployment's failed, and is wanted still. */
  hasFailed = false;
  /** The group's part of a deployment that is to begin. */
  begun: DeploymentState | undefined = undefined;
  /** Nodes that were to get an allocation in this pass, whether or not they had room. */
  open = 0;
  readonly #rollout: GroupRollout;

  constructor(group: TaskGroup, rollout: GroupRollout) {
    this.group = group;
    this.#rollout = rollout;
  }

  isPart({ DeploymentID }: AllocationView): boolean {
    return this.#rollout.deploymentId !== "" && DeploymentID === this.#rollout.deploymentId;
  }

  /** Once all allocations are known: which of the outdated are replaced in this pass. `nodes`: how many the group can run on. */
  settle(nodes: number): void {
    this.begun = this.#begin(nodes);
    const state = this.begun ?? this.#rollout.state;
    const most = this.#most(state);
    for (const [slot, allocation] of this.outdated) {
      if (this.replaced.size >= most) {
        this.served.add(slot);
        continue;
      }
      this.replaced.set(slot, allocation);
      if (isCanarying(state)) this.canaries.add(slot);
    }
  }

  /** The deployment under way has nothing left to do here. */
  get complete(): boolean {
    const { state, status } = this.#rollout;
    if (state === undefined || status !== "running" || isCanarying(state)) return false;
    if (this.outdated.size + this.inPlace + this.open > 0 || this.hasFailed) return false;
    return this.part.every((it) => it.isHealthy === true);
  }

  /** Canaries are tried only where something runs that they would replace: on so many per cent of the nodes. */
  #begin(nodes: number): DeploymentState | undefined {
    const { status, deploys } = this.#rollout;
    if (!deploys || status !== "none" || nodes === 0) return undefined;
    if (this.hasCurrent && this.inPlace + this.outdated.size === 0) return undefined;
    const canaries = Math.ceil(((this.group.Update?.Canary ?? 0) * nodes) / 100);
    return { ...beginGroup(this.group, Math.min(canaries, this.outdated.size)), DesiredTotal: nodes };
  }

  #most(state: DeploymentState | undefined): number {
    const { deploys, status } = this.#rollout;
    if (!deploys) return Number.POSITIVE_INFINITY;
    if (status === "paused" || status === "failed") return 0;
    if (this.hasFailed || this.part.some((it) => it.isHealthy === false)) return 0;
    const most = Math.max(0, (this.group.Update?.MaxParallel ?? 0) - this.part.filter((it) => !it.isHealthy).length);
    if (!isCanarying(state)) return most;
    const there = this.part.filter((it) => it.isCanary).length;
    return Math.min(most, Math.max(0, (state?.DesiredCanaries ?? 0) - there));
  }
}
