// What the deployment of a job says to its groups. Reads the state; nothing here is written.
import { DEPLOYMENT_DESCRIPTIONS, regionsOf } from "@steppe/model";
import { Deployment, DeploymentState, type TaskGroup } from "@steppe/proto";
import type { AllocationView, DeploymentView } from "@steppe/state";
import type { Pass } from "../pass.ts";

/**
 * Where the rollout of a version stands:
 * - `none`: no deployment looks after it; one begins where there is something to roll out
 * - `running`, `paused`, `failed`: its deployment
 * - `done`: it was rolled out, or another version took over; what is missing is simply placed
 */
export type RolloutStatus = "none" | "running" | "paused" | "failed" | "done";

/** The same for one group. */
export interface GroupRollout {
  readonly status: RolloutStatus;
  /** Empty unless its deployment is active. */
  readonly deploymentId: string;
  /** Undefined where the deployment is not about this group, or there is none. */
  readonly state: DeploymentState | undefined;
  /** The group's updates go through deployments. */
  readonly deploys: boolean;
  /** Other regions come first: until they let it begin, what runs is left as it is. */
  readonly pending: boolean;
}

export const NO_ROLLOUT: GroupRollout = {
  status: "none",
  deploymentId: "",
  state: undefined,
  deploys: false,
  pending: false,
};

/** The rollout of the version that a pass looks at. */
export class JobRollout {
  readonly status: RolloutStatus;
  readonly active: Deployment | undefined;
  /** Jobs of other types just place what is missing. */
  readonly #deploys: boolean;
  /** The version is rolled out region by region. */
  readonly regional: boolean;

  constructor({ view, job, jobView }: Pass) {
    const isRollout = jobView.rollout !== 0 && jobView.rolloutVersion === job.Version;
    this.regional = isRollout && job.Type === "service" && regionsOf(job).length > 1;
    this.#deploys = job.Type === "service" || job.Type === "system";
    const latest = view.deployments.latest(job.Namespace, job.ID);
    const own = latest?.deployment.JobVersion === job.Version && latest.deployment.JobCreateIndex === job.CreateIndex;
    this.active = own && latest.active ? latest.deployment : undefined;
    this.status = own ? statusOf(latest) : "none";
  }

  of(group: TaskGroup): GroupRollout {
    const deploys = this.#deploys && (group.Update?.MaxParallel ?? 0) > 0;
    return {
      status: this.status,
      deploymentId: this.active?.ID ?? "",
      state: this.active?.TaskGroups[group.Name],
      deploys,
      pending: deploys && this.#isPending(),
    };
  }

  #isPending(): boolean {
    return this.active === undefined ? this.regional && this.status === "none" : this.active.Status === "pending";
  }
}

function statusOf({ active, deployment }: DeploymentView): RolloutStatus {
  if (deployment.Status === "failed") return "failed";
  if (!active) return "done";
  return deployment.Status === "paused" || deployment.Status === "pending" ? "paused" : "running";
}

/** A canary of the deployment under way, not promoted yet. */
export function isCanaryOf(allocation: AllocationView, { deploymentId }: GroupRollout): boolean {
  return deploymentId !== "" && allocation.DeploymentID === deploymentId && isCanary(allocation);
}

export function isCanary(allocation: AllocationView): boolean {
  return allocation.isCanary;
}

export function isCanarying(state: DeploymentState | undefined): boolean {
  return state !== undefined && state.DesiredCanaries > 0 && !state.Promoted;
}

/** A group's part in a deployment that begins. */
export function beginGroup({ Count, Update }: TaskGroup, canaries: number): DeploymentState {
  return DeploymentState.create({
    AutoRevert: Update?.AutoRevert ?? false,
    AutoPromote: Update?.AutoPromote ?? false,
    ProgressDeadline: Update?.ProgressDeadline ?? 0,
    DesiredCanaries: canaries,
    DesiredTotal: Count ?? 1,
  });
}

export function beginDeployment(
  { job, evaluation, context }: Pass,
  groups: Record<string, DeploymentState>,
  IsMultiregion: boolean,
): Deployment {
  const canarying = Object.values(groups).filter(isCanarying);
  return Deployment.create({
    ID: context.random.id(),
    Namespace: job.Namespace,
    JobID: job.ID,
    TaskGroups: groups,
    IsMultiregion,
    Status: IsMultiregion ? "pending" : "running",
    StatusDescription: IsMultiregion ? DEPLOYMENT_DESCRIPTIONS.pendingForPeer : describe(canarying),
    EvalPriority: evaluation.Priority,
  });
}

function describe(canarying: readonly DeploymentState[]): string {
  if (canarying.length === 0) return DEPLOYMENT_DESCRIPTIONS.running;
  const auto = canarying.every(({ AutoPromote }) => AutoPromote);
  return auto ? DEPLOYMENT_DESCRIPTIONS.autoPromotion : DEPLOYMENT_DESCRIPTIONS.needsPromotion;
}
