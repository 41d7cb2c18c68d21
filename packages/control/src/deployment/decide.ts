import { DEPLOYMENT_DESCRIPTIONS, nextReschedule } from "@steppe/model";
import type { DeploymentState, Evaluation, Job } from "@steppe/proto";
import type { AllocationView, DeploymentView } from "@steppe/state";

/** What an active deployment needs done. */
export type Decision =
  | { readonly kind: "fail"; readonly description: string; readonly rollback: boolean }
  | { readonly kind: "promote" }
  /** An evaluation; these unhealthy allocations may be replaced by it. */
  | { readonly kind: "advance"; readonly replace: readonly string[] }
  | { readonly kind: "wait" };

const WAIT: Decision = { kind: "wait" };

/**
 * Looks at a deployment as it stands, so a new leader decides as the last one would have.
 * `ofJob`: all allocations of the job. `seenIndex`: health up to there is known to an evaluation that was, or
 * will be, processed.
 */
export function decideDeployment(
  entry: DeploymentView,
  job: Job,
  ofJob: Iterable<AllocationView>,
  seenIndex: number,
  nowNs: number,
): Decision {
  if (!entry.active) return WAIT;
  const unhealthy: AllocationView[] = [];
  let isNews = false;
  for (const it of entry.allocations) {
    if (it.DesiredStatus !== "run") continue;
    if (isUnhealthy(it)) unhealthy.push(it);
    isNews ||= isHealthy(it) && it.healthIndex > seenIndex;
  }
  const hopeless = unhealthy.filter((it) => !it.Reschedule && isHopeless(it, entry, job, nowNs));
  if (hopeless.length > 0) return fail(entry, DEPLOYMENT_DESCRIPTIONS.failedAllocations, groupsOf(hopeless));
  const late = laggards(entry).filter(([, { RequireProgressBy }]) => RequireProgressBy <= nowNs);
  if (late.length > 0)
    return fail(entry, DEPLOYMENT_DESCRIPTIONS.progressDeadline, new Set(late.map(([name]) => name)));
  if (isToBePromoted(entry)) return { kind: "promote" };
  const replace = unhealthy.filter(({ Reschedule }) => !Reschedule).map(({ ID }) => ID);
  if (replace.length > 0) return { kind: "advance", replace };
  return isNews && !isRolledOut(entry, ofJob) ? { kind: "advance", replace } : WAIT;
}

/**
 * All that is to be placed is, nothing of before is left, and not all of it is healthy yet: an evaluation would
 * find nothing to do. The first deployment of a job with thousands of allocations is in this state until its end.
 */
function isRolledOut(entry: DeploymentView, ofJob: Iterable<AllocationView>): boolean {
  const groups = Object.entries(entry.deployment.TaskGroups);
  if (groups.some(([, { DesiredCanaries, Promoted }]) => DesiredCanaries > 0 && !Promoted)) return false;
  const placed = new Map<string, number>();
  let allHealthy = true;
  for (const it of ofJob) {
    if (it.terminal || it.DesiredStatus !== "run") continue;
    if (!entry.allocations.has(it)) return false;
    placed.set(it.TaskGroup, (placed.get(it.TaskGroup) ?? 0) + 1);
    allHealthy &&= isHealthy(it);
  }
  return !allHealthy && groups.every(([name, { DesiredTotal }]) => (placed.get(name) ?? 0) >= DesiredTotal);
}

/** When the deployment fails unless an allocation turns healthy, unix nanoseconds; infinite when it does not. */
export function dueAtNs(entry: DeploymentView): number {
  if (!entry.active) return Number.POSITIVE_INFINITY;
  return Math.min(Number.POSITIVE_INFINITY, ...laggards(entry).map(([, { RequireProgressBy }]) => RequireProgressBy));
}

/** The index up to which evaluations of a job have seen, or will see, what happened. */
export function seenIndexOf(evaluations: Iterable<Evaluation>): number {
  let seen = 0;
  for (const { Status, WaitUntil, CreateIndex, SnapshotIndex } of evaluations) {
    if (Status === "canceled") continue;
    // One that is on its way sees all that is there; one that waits may wait for long.
    const isComing = Status === "pending" && WaitUntil === 0;
    seen = Math.max(seen, isComing ? CreateIndex : SnapshotIndex);
  }
  return seen;
}

/** Known to be so, or ended in failure before anybody could say. */
function isUnhealthy({ ClientStatus, isHealthy }: AllocationView): boolean {
  return isHealthy === false || (isHealthy === undefined && ClientStatus === "failed");
}

function isHealthy(allocation: AllocationView): boolean {
  return allocation.isHealthy === true;
}

/** No replacement will come: the group allows no time for one, or its policy no further attempt. */
function isHopeless(allocation: AllocationView, { deployment }: DeploymentView, job: Job, nowNs: number): boolean {
  const state = deployment.TaskGroups[allocation.TaskGroup];
  if (state === undefined) return false;
  if (state.ProgressDeadline === 0) return true;
  const policy = job.TaskGroups.find(({ Name }) => Name === allocation.TaskGroup)?.ReschedulePolicy;
  return !nextReschedule(policy, allocation.RescheduleTracker, nowNs).eligible;
}

function groupsOf(allocations: readonly AllocationView[]): ReadonlySet<string> {
  return new Set(allocations.map(({ TaskGroup }) => TaskGroup));
}

function fail({ deployment }: DeploymentView, description: string, groups: ReadonlySet<string>): Decision {
  const rollback = [...groups].some((name) => deployment.TaskGroups[name]?.AutoRevert === true);
  return { kind: "fail", description, rollback };
}

/** Groups that have to make progress. One whose canaries are all healthy waits for a person instead. */
function laggards(entry: DeploymentView): [string, DeploymentState][] {
  return Object.entries(entry.deployment.TaskGroups).filter(([name, state]) => {
    if (state.RequireProgressBy === 0) return false;
    const waitsForPromotion = state.DesiredCanaries > 0 && !state.Promoted;
    return healthyOf(entry, name, waitsForPromotion) < (waitsForPromotion ? state.DesiredCanaries : state.DesiredTotal);
  });
}

function isToBePromoted(entry: DeploymentView): boolean {
  const { Status, TaskGroups } = entry.deployment;
  const waiting = Object.entries(TaskGroups).filter(([, it]) => it.DesiredCanaries > 0 && !it.Promoted);
  if (Status !== "running" || waiting.length === 0) return false;
  return waiting.every(([name, it]) => it.AutoPromote && healthyOf(entry, name, true) >= it.DesiredCanaries);
}

function healthyOf({ allocations }: DeploymentView, group: string, canaries: boolean): number {
  let count = 0;
  for (const it of allocations) {
    if (it.TaskGroup !== group || it.terminal || !isHealthy(it)) continue;
    if (!canaries || it.isCanary) count += 1;
  }
  return count;
}
