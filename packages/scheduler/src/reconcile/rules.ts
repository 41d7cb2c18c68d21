import { ALLOCATION_DESCRIPTIONS, ranSuccessfully, SECOND } from "@steppe/model";
import type { Node } from "@steppe/proto";
import type { AllocationView } from "@steppe/state";
import { Case, type GroupCase } from "./case.ts";
import { isCanary, isCanarying, isCanaryOf } from "./rollout.ts";

/**
 * What an allocation is to its group:
 * - `ignore`: the past; neither counted nor touched
 * - `done`: a batch allocation that did its work; counted, and its name stays taken
 * - `spent`: failed, and not to be replaced; counted, since the group would otherwise try for ever
 * - `wait`: failed, to be replaced later; counted until then
 * - `replace`: failed, to be replaced now
 * - `lost`: its node is down; to be replaced
 * - `stop`: nobody wants it
 * - `migrate`: its node drains
 * - `keep`: runs, and may
 */
export type Bucket = "ignore" | "done" | "spent" | "wait" | "replace" | "lost" | "stop" | "migrate" | "keep";

/** What is due so soon is done at once: clocks drift, and an evaluation costs more. */
const DUE_WITHIN = SECOND;

type Rule = readonly [name: string, holds: (it: Case) => boolean, bucket: Bucket];

/** Service and batch. The first rule that holds decides. */
export const RULES: readonly Rule[] = [
  ["told to stop, but a batch task of this version ended well first", isDoneThoughTold, "done"],
  ["told to stop for a replacement that was then refused", isAwaitingReplacement, "replace"],
  ["told to stop", (it) => it.isTold, "ignore"],
  ["ended, and no longer wanted", (it) => it.allocation.clientTerminal && !it.wanted, "ignore"],
  ["ended, batch, of an older version: a new version starts anew", isOldBatch, "ignore"],
  ["complete, batch: never again in this version", (it) => isComplete(it) && it.isBatch, "done"],
  ["complete, service: should not have ended", isComplete, "ignore"],
  ["lost before", (it) => it.allocation.ClientStatus === "lost", "ignore"],
  ["failed, a canary whose deployment has ended", (it) => it.hasFailed && isLeftCanary(it), "ignore"],
  ["failed and replaced", (it) => it.hasFailed && it.allocation.NextAllocation !== "", "ignore"],
  ["failed, of an older version whose tasks differ: a new version starts anew", isOldFailure, "ignore"],
  ["failed, and a user wants it replaced now", (it) => it.hasFailed && it.allocation.ForceReschedule, "replace"],
  ["failed, and its deployment does not let it be replaced", isHeldByDeployment, "spent"],
  ["failed, and this is the evaluation it waited for", isFollowedUp, "replace"],
  ["failed, and its delay is over", isDue, "replace"],
  ["failed, and its delay is not over", (it) => it.hasFailed && it.next.eligible, "wait"],
  ["failed, without attempts left", (it) => it.hasFailed, "spent"],
  ["a canary that was never promoted, and its deployment has ended", isLeftCanary, "stop"],
  ["its node is down or gone", (it) => isDown(it.node), "lost"],
  ["the job is stopped, or has no such group", (it) => !it.wanted, "stop"],
  ["its node drains", isDrained, "migrate"],
  ["runs", () => true, "keep"],
];

export function classify(allocation: AllocationView, of: GroupCase): Bucket {
  const it = new Case(allocation, of);
  for (const [, holds, bucket] of RULES) {
    if (holds(it)) return bucket;
  }
  return "keep";
}

/** The servers cannot reach it: what ran there counts as lost. */
export function isDown(node: Node | undefined): boolean {
  return node === undefined || node.Status === "down" || node.Status === "disconnected";
}

function isComplete(it: Case): boolean {
  return it.allocation.ClientStatus === "complete";
}

function isDoneThoughTold(it: Case): boolean {
  return it.isTold && it.isBatch && it.wanted && it.isCurrent && isComplete(it) && ranSuccessfully(it.allocation);
}

/** The plan's stop took effect, its placement did not: the node had been filled by another worker. */
function isAwaitingReplacement(it: Case): boolean {
  const { DesiredDescription, NextAllocation } = it.allocation;
  const stopped = it.isTold && it.hasFailed && DesiredDescription === ALLOCATION_DESCRIPTIONS.rescheduled;
  return stopped && NextAllocation === "" && it.wanted && (!it.isBatch || it.isCurrent);
}

function isOldBatch(it: Case): boolean {
  return it.allocation.clientTerminal && it.isBatch && !it.isCurrent;
}

/** While canaries are tried or the rollout stands still, the older version is still what should run. */
function isOldFailure(it: Case): boolean {
  const { state, status } = it.of.rollout;
  if (isCanarying(state) || status === "paused" || status === "failed") return false;
  return it.hasFailed && it.of.updates.of(it.allocation) === "destructive";
}

function isFollowedUp(it: Case): boolean {
  return it.hasFailed && it.allocation.FollowupEvalID === it.of.evaluation.ID && it.next.eligible;
}

function isDue(it: Case): boolean {
  return it.hasFailed && it.next.eligible && it.next.at <= it.of.now + DUE_WITHIN;
}

/** A batch allocation may finish its work until the drain's deadline. */
function isDrained(it: Case): boolean {
  const drain = it.node?.DrainStrategy;
  if (drain === undefined) return it.node?.Drain === true;
  if (!it.isBatch || drain.Deadline < 0) return true;
  return drain.ForceDeadline !== 0 && drain.ForceDeadline <= it.of.now;
}

function isLeftCanary(it: Case): boolean {
  return isCanary(it.allocation) && !isCanaryOf(it.allocation, it.of.rollout);
}

/** An unhealthy allocation of a deployment is its watcher's to judge, and one of a failed deployment stays as it is. */
function isHeldByDeployment(it: Case): boolean {
  const { rollout } = it.of;
  const { DeploymentID, DeploymentStatus, Reschedule } = it.allocation;
  if (!it.hasFailed || DeploymentID === "") return false;
  if (rollout.deploymentId === DeploymentID) return !Reschedule && DeploymentStatus?.Healthy !== true;
  return rollout.status === "failed" && it.isCurrent;
}
