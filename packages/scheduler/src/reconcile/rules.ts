import { ALLOCATION_DESCRIPTIONS, ranSuccessfully, SECOND } from "@steppe/model";
import type { Node } from "@steppe/proto";
import type { AllocationView } from "@steppe/state";
import { Case, type GroupCase } from "./case.ts";
import { maySurvive } from "./disconnect.ts";
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
 * - `disconnect`: its node has gone without a word, and it may run on there
 * - `unknown`: so it was found before, and still is
 * - `reconnect`: its node is back and runs it still
 * - `migrate`: it is to leave its node
 * - `keep`: runs, and may
 */
export type Bucket =
  | "ignore"
  | "done"
  | "spent"
  | "wait"
  | "replace"
  | "lost"
  | "stop"
  | "disconnect"
  | "unknown"
  | "reconnect"
  | "migrate"
  | "keep";

/** What is due so soon is done at once: clocks drift, and an evaluation costs more. */
const DUE_WITHIN = SECOND;

type Rule = readonly [name: string, holds: (it: Case) => boolean, bucket: Bucket];

/** Service and batch. The first rule that holds decides. */
export const RULES: readonly Rule[] = [
  ["told to stop, but a batch task of this version ended well first", isDoneThoughTold, "done"],
  ["told to stop for a replacement that was then refused", isAwaitingReplacement, "replace"],
  ["lost, and its node is given time to stop it first", isLeftToNode, "wait"],
  ["lost, and this is the evaluation it waited for", isLeftLongEnough, "replace"],
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
  ["its node is down or gone", (it) => isGone(it.node), "lost"],
  ["the job is stopped, or has no such group", (it) => !it.wanted, "stop"],
  ["unknown for longer than its group allows", isExpired, "lost"],
  ["its node is disconnected, as its group allows", (it) => maySurvive(it.allocation, it.node), "disconnect"],
  ["unknown, and not heard of since", isAway, "unknown"],
  ["unknown before, and back", (it) => it.isUnknown, "reconnect"],
  ["its node is disconnected, which its group does not allow", (it) => isDown(it.node), "lost"],
  ["it is to leave its node", (it) => it.allocation.Migrate, "migrate"],
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
  return (
    it.isTold &&
    it.isBatch &&
    it.wanted &&
    it.isCurrent &&
    isComplete(it) &&
    ranSuccessfully({ TaskStates: it.allocation.TaskForms })
  );
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

/** Nobody can have it running any more, or stop it. */
export function isGone(node: Node | undefined): boolean {
  return node === undefined || node.Status === "down";
}

/** The follow-up evaluation says that the time is over, and so does the clock where that one was lost. */
function isExpired(it: Case): boolean {
  if (!it.isUnknown || it.allocation.ClientStatus !== "unknown") return false;
  const { FollowupEvalID, UnknownSince } = it.allocation;
  return FollowupEvalID === it.of.evaluation.ID || UnknownSince + it.lostAfter <= it.of.now + DUE_WITHIN;
}

function isAway(it: Case): boolean {
  return it.isUnknown && (it.allocation.ClientStatus === "unknown" || it.node?.Status !== "ready");
}

function isLost(it: Case): boolean {
  const { ClientStatus, NextAllocation } = it.allocation;
  const isOpen = ClientStatus === "lost" && NextAllocation === "" && !isLeftCanary(it);
  return isOpen && it.wanted && (!it.isBatch || it.isCurrent);
}

/** Its group asks the node to stop it when it is cut off; until then two might run. */
function isLeftToNode(it: Case): boolean {
  const { evaluation, view, now } = it.of;
  if (!isLost(it) || it.allocation.FollowupEvalID === evaluation.ID) return false;
  const followUp = view.evaluations.get(it.allocation.FollowupEvalID);
  return followUp?.Status === "pending" && followUp.WaitUntil > now;
}

function isLeftLongEnough(it: Case): boolean {
  return isLost(it) && it.allocation.FollowupEvalID === it.of.evaluation.ID;
}

function isLeftCanary(it: Case): boolean {
  return isCanary(it.allocation) && !isCanaryOf(it.allocation, it.of.rollout);
}

/** An unhealthy allocation of a deployment is its watcher's to judge, and one of a failed deployment stays as it is. */
function isHeldByDeployment(it: Case): boolean {
  const { rollout } = it.of;
  const { DeploymentID, isHealthy, Reschedule } = it.allocation;
  if (!it.hasFailed || DeploymentID === "") return false;
  if (rollout.deploymentId === DeploymentID) return !Reschedule && isHealthy !== true;
  return rollout.status === "failed" && it.isCurrent;
}
