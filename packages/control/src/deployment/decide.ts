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

/** How the allocations of a deployment stand, counted in one go: there may be thousands. */
export interface Census {
  /** Wanted still. */
  readonly unhealthy: readonly AllocationView[];
  /** Index at which the last of the wanted and healthy ones was told to be so; 0 = there are none. */
  readonly newestHealthy: number;
  readonly groups: ReadonlyMap<string, GroupCensus>;
  /** Of all groups. */
  readonly live: number;
}

export interface GroupCensus {
  readonly live: number;
  /** Of the live ones. */
  readonly healthy: number;
  /** Of the healthy ones. */
  readonly canaries: number;
}

export function takeCensus({ allocations }: DeploymentView): Census {
  const unhealthy: AllocationView[] = [];
  const groups = new Map<string, { live: number; healthy: number; canaries: number }>();
  let [newestHealthy, live] = [0, 0];
  for (const it of allocations) {
    if (it.DesiredStatus !== "run") continue;
    if (isUnhealthy(it)) unhealthy.push(it);
    if (isHealthy(it)) newestHealthy = Math.max(newestHealthy, it.healthIndex);
    if (it.terminal) continue;
    let group = groups.get(it.TaskGroup);
    if (group === undefined) {
      group = { live: 0, healthy: 0, canaries: 0 };
      groups.set(it.TaskGroup, group);
    }
    live += 1;
    group.live += 1;
    if (!isHealthy(it)) continue;
    group.healthy += 1;
    if (it.isCanary) group.canaries += 1;
  }
  return { unhealthy, newestHealthy, groups, live };
}

/**
 * Looks at a deployment as it stands, so a new leader decides as the last one would have.
 * `liveOfJob`: live allocations of the job, also those of before. `seenIndex`: health up to there is known to an evaluation that was, or
 * will be, processed.
 */
export function decideDeployment(
  entry: DeploymentView,
  job: Job,
  liveOfJob: number,
  seenIndex: number,
  nowNs: number,
  census: Census = takeCensus(entry),
): Decision {
  if (!entry.active) return WAIT;
  const { unhealthy } = census;
  const hopeless = unhealthy.filter((it) => !it.Reschedule && isHopeless(it, entry, job, nowNs));
  if (hopeless.length > 0) return fail(entry, DEPLOYMENT_DESCRIPTIONS.failedAllocations, groupsOf(hopeless));
  const late = laggards(entry, census).filter(([, { RequireProgressBy }]) => RequireProgressBy <= nowNs);
  if (late.length > 0)
    return fail(entry, DEPLOYMENT_DESCRIPTIONS.progressDeadline, new Set(late.map(([name]) => name)));
  if (isToBePromoted(entry, census)) return { kind: "promote" };
  const replace = unhealthy.filter(({ Reschedule }) => !Reschedule).map(({ ID }) => ID);
  if (replace.length > 0) return { kind: "advance", replace };
  const isNews = census.newestHealthy > seenIndex;
  return isNews && !isRolledOut(entry, census, liveOfJob) ? { kind: "advance", replace } : WAIT;
}

/**
 * All that is to be placed is, nothing of before is left, and not all of it is healthy yet: an evaluation would
 * find nothing to do. The first deployment of a job with thousands of allocations is in this state until its end.
 */
function isRolledOut({ deployment }: DeploymentView, { groups, live }: Census, liveOfJob: number): boolean {
  const all = Object.entries(deployment.TaskGroups);
  if (liveOfJob > live || all.some(([, { DesiredCanaries, Promoted }]) => DesiredCanaries > 0 && !Promoted))
    return false;
  const isHealthy = [...groups.values()].every((group) => group.healthy === group.live);
  return !isHealthy && all.every(([name, { DesiredTotal }]) => (groups.get(name) ?? NOBODY).live >= DesiredTotal);
}

/** When the deployment fails unless an allocation turns healthy, unix nanoseconds; infinite when it does not. */
export function dueAtNs(entry: DeploymentView, census: Census = takeCensus(entry)): number {
  if (!entry.active) return Number.POSITIVE_INFINITY;
  const due = laggards(entry, census).map(([, { RequireProgressBy }]) => RequireProgressBy);
  return Math.min(Number.POSITIVE_INFINITY, ...due);
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
function laggards(entry: DeploymentView, { groups }: Census): [string, DeploymentState][] {
  return Object.entries(entry.deployment.TaskGroups).filter(([name, state]) => {
    if (state.RequireProgressBy === 0) return false;
    const { healthy, canaries } = groups.get(name) ?? NOBODY;
    const waitsForPromotion = state.DesiredCanaries > 0 && !state.Promoted;
    return waitsForPromotion ? canaries < state.DesiredCanaries : healthy < state.DesiredTotal;
  });
}

function isToBePromoted({ deployment }: DeploymentView, { groups }: Census): boolean {
  const { Status, TaskGroups } = deployment;
  const waiting = Object.entries(TaskGroups).filter(([, it]) => it.DesiredCanaries > 0 && !it.Promoted);
  if (Status !== "running" || waiting.length === 0) return false;
  return waiting.every(([name, it]) => it.AutoPromote && (groups.get(name) ?? NOBODY).canaries >= it.DesiredCanaries);
}

const NOBODY: GroupCensus = { live: 0, healthy: 0, canaries: 0 };
