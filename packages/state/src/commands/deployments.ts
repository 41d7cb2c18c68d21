import {
  DEPLOYMENT_DESCRIPTIONS,
  isTerminalAllocation,
  multiError,
  noRollbackTargetDescription,
  rollbackDescription,
  rollbackNoOpDescription,
} from "@steppe/model";
import type {
  AdvanceDeployments,
  Deployment,
  FailDeployment,
  MoveDeployment,
  Outcome,
  PauseDeployment,
  PromoteDeployment,
  SetAllocationHealth,
  UnblockDeployment,
} from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import type { DeploymentEntry } from "../tables/deployments.ts";
import { createEvaluation } from "./create-evaluation.ts";
import { awaitsPromotion, deadlineFrom, decide, rollbackTarget, succeed } from "./deployment-course.ts";
import { takeHealth } from "./deployment-health.ts";
import { termPassed } from "./lease.ts";
import { putJob } from "./register-job.ts";

/** Canaries that are all healthy become ordinary allocations; the next evaluation replaces the others. */
export function promoteDeployment(state: State, step: Step, command: PromoteDeployment): Outcome {
  const found = find(state, step, command, "can't promote terminal deployment");
  if (!("entry" in found)) return found;
  const { entry } = found;
  const { deployment } = entry;
  const unknown = command.All ? [] : command.Groups.filter((name) => deployment.TaskGroups[name] === undefined);
  if (unknown.length > 0) return refuse(step, "refused", `deployment has no task group ${JSON.stringify(unknown[0])}`);
  const groups = Object.entries(deployment.TaskGroups).filter(
    ([name, group]) => group.DesiredCanaries > 0 && !group.Promoted && (command.All || command.Groups.includes(name)),
  );
  if (groups.length === 0) return refuse(step, "refused", "no canaries to promote");
  const lacking = groups.flatMap(([name, { DesiredCanaries }]) => {
    const have = healthyCanaries(entry, name);
    return have >= DesiredCanaries
      ? []
      : [`Task group ${JSON.stringify(name)} has ${have}/${DesiredCanaries} healthy allocations`];
  });
  if (lacking.length > 0) return refuse(step, "refused", multiError(lacking));
  promote(state, step, entry, new Set(groups.map(([name]) => name)));
  return evaluated(state, step, entry);
}

function healthyCanaries({ allocations }: DeploymentEntry, group: string): number {
  let count = 0;
  for (const it of allocations) {
    const { Canary = false, Healthy = false } = it.DeploymentStatus ?? {};
    if (it.TaskGroup === group && Canary && Healthy && !isTerminalAllocation(it)) count += 1;
  }
  return count;
}

function promote(state: State, step: Step, entry: DeploymentEntry, names: ReadonlySet<string>): void {
  const TaskGroups = Object.fromEntries(
    Object.entries(entry.deployment.TaskGroups).map(([name, group]) => [
      name,
      names.has(name) ? { ...group, Promoted: true, RequireProgressBy: deadlineFrom(group, step.time) } : group,
    ]),
  );
  const promoted: Deployment = { ...entry.deployment, TaskGroups };
  const runs = promoted.Status === "running" && !awaitsPromotion(promoted);
  decide(state, step, entry, { TaskGroups, ...(runs && { StatusDescription: DEPLOYMENT_DESCRIPTIONS.running }) });
  for (const allocation of entry.allocations) {
    if (!names.has(allocation.TaskGroup) || allocation.DeploymentStatus?.Canary !== true) continue;
    state.changeAllocation(step, allocation, true, (it) => {
      const { DeploymentStatus: status } = it;
      if (status !== undefined) it.fare(state.healths.of({ ...status, Canary: false }), status.Timestamp);
    });
  }
}

/** While it is paused, nothing new is begun and no deadline passes. */
export function pauseDeployment(state: State, step: Step, command: PauseDeployment): Outcome {
  const { DeploymentID, Pause } = command;
  const ended = `can't ${Pause ? "pause" : "resume"} terminal deployment`;
  const found = find(state, step, { DeploymentID, Term: 0 }, ended);
  if (!("entry" in found)) return found;
  const { entry } = found;
  const { deployment } = entry;
  const TaskGroups = Object.fromEntries(
    Object.entries(deployment.TaskGroups).map(([name, group]) => [
      name,
      { ...group, RequireProgressBy: Pause || group.PlacedAllocs === 0 ? 0 : deadlineFrom(group, step.time) },
    ]),
  );
  const StatusDescription = Pause ? DEPLOYMENT_DESCRIPTIONS.paused : runningDescription(deployment);
  decide(state, step, entry, { Status: Pause ? "paused" : "running", StatusDescription, TaskGroups });
  return Pause ? answer(step, entry) : evaluated(state, step, entry);
}

/** What a running deployment says of itself. */
function runningDescription(deployment: Deployment): string {
  if (!awaitsPromotion(deployment)) return DEPLOYMENT_DESCRIPTIONS.running;
  const withCanaries = Object.values(deployment.TaskGroups).filter(({ DesiredCanaries }) => DesiredCanaries > 0);
  const auto = withCanaries.every(({ AutoPromote }) => AutoPromote);
  return auto ? DEPLOYMENT_DESCRIPTIONS.autoPromotion : DEPLOYMENT_DESCRIPTIONS.needsPromotion;
}

export function failDeployment(state: State, step: Step, command: FailDeployment): Outcome {
  const found = find(state, step, command, "can't fail terminal deployment");
  if (!("entry" in found)) return found;
  if (command.Term !== 0) return fail(state, step, found.entry, command.StatusDescription, command.Rollback);
  const reverts = Object.values(found.entry.deployment.TaskGroups).some(({ AutoRevert }) => AutoRevert);
  return fail(state, step, found.entry, DEPLOYMENT_DESCRIPTIONS.failedByUser, reverts);
}

function fail(state: State, step: Step, entry: DeploymentEntry, description: string, rollback: boolean): Outcome {
  const { Namespace, JobID } = entry.deployment;
  const job = state.jobs.get(Namespace, JobID);
  if (!rollback || job === undefined) {
    decide(state, step, entry, { Status: "failed", StatusDescription: description });
    return evaluated(state, step, entry);
  }
  const { stable, differs } = rollbackTarget(job);
  decide(state, step, entry, {
    Status: "failed",
    StatusDescription: rollbackText(description, stable?.Version, differs),
  });
  if (stable === undefined || !differs) return evaluated(state, step, entry);
  putJob(state, step, stable, job);
  return { ...evaluated(state, step, entry), RevertedJobVersion: stable.Version };
}

function rollbackText(description: string, version: number | undefined, differs: boolean): string {
  if (version === undefined) return noRollbackTargetDescription(description);
  return differs ? rollbackDescription(description, version) : rollbackNoOpDescription(description, version);
}

/** The other regions let it go on, or end. */
export function moveDeployment(state: State, step: Step, command: MoveDeployment): Outcome {
  const found = find(state, step, command, "can't move terminal deployment");
  if (!("entry" in found)) return found;
  const { entry } = found;
  const { From, Status, StatusDescription } = command;
  if (entry.deployment.Status !== From) return refuse(step, "refused", `deployment is not ${From} any more`);
  if (Status === "successful") succeed(state, step, entry);
  else decide(state, step, entry, { Status, StatusDescription });
  return evaluated(state, step, entry);
}

/** Only a deployment that waits for other regions can be let go. */
export function unblockDeployment(state: State, step: Step, { DeploymentID }: UnblockDeployment): Outcome {
  const found = find(state, step, { DeploymentID, Term: 0 }, "can't unblock terminal deployment");
  if (!("entry" in found)) return found;
  if (found.entry.deployment.Status !== "blocked") {
    return refuse(step, "refused", "can't unblock running deployment");
  }
  succeed(state, step, found.entry);
  return evaluated(state, step, found.entry);
}

export function setAllocationHealth(state: State, step: Step, command: SetAllocationHealth): Outcome {
  const { DeploymentID, HealthyAllocationIDs: healthy, UnhealthyAllocationIDs: unhealthy } = command;
  const ended = "can't set health of allocations for a terminal deployment";
  const found = find(state, step, { DeploymentID, Term: 0 }, ended);
  if (!("entry" in found)) return found;
  const { entry } = found;
  const stranger = [...healthy, ...unhealthy].find((id) => state.allocations.get(id)?.DeploymentID !== DeploymentID);
  if (stranger !== undefined) {
    return refuse(step, "refused", `alloc ${JSON.stringify(stranger)} is not part of the deployment`);
  }
  for (const id of healthy) setHealth(state, step, id, true);
  for (const id of unhealthy) setHealth(state, step, id, false);
  if (unhealthy.length === 0) return evaluated(state, step, entry);
  const groups = new Set(unhealthy.map((id) => state.allocations.get(id)?.TaskGroup ?? ""));
  const rollback = [...groups].some((name) => entry.deployment.TaskGroups[name]?.AutoRevert === true);
  return fail(state, step, entry, DEPLOYMENT_DESCRIPTIONS.failedAllocations, rollback);
}

function setHealth(state: State, step: Step, id: string, Healthy: boolean): void {
  const allocation = state.allocations.get(id);
  if (allocation === undefined) return;
  state.changeAllocation(step, allocation, true, (it) =>
    takeHealth(state, step, it, { Healthy, Timestamp: step.time }),
  );
}

/** The leader saw health change: one evaluation a deployment. Those that ended meanwhile are left alone. */
export function advanceDeployments(state: State, step: Step, command: AdvanceDeployments): Outcome {
  if (termPassed(state, command.Term)) return refuse(step, "stale-term", "the lease term has passed");
  for (const { DeploymentID, ReplaceAllocIDs } of command.Advances) {
    const entry = state.deployments.get(DeploymentID);
    if (entry === undefined || !entry.active) continue;
    for (const id of ReplaceAllocIDs) {
      const allocation = state.allocations.get(id);
      if (allocation === undefined) continue;
      state.changeAllocation(step, allocation, true, (it) => {
        it.amend({ Reschedule: true });
      });
    }
    evaluated(state, step, entry);
  }
  return done(step);
}

type Found = { readonly entry: DeploymentEntry } | Outcome;

/** The active deployment that a command is about, or why it cannot be. */
function find(state: State, step: Step, of: { DeploymentID: string; Term: number }, ended: string): Found {
  if (of.Term !== 0 && termPassed(state, of.Term)) return refuse(step, "stale-term", "the lease term has passed");
  const entry = state.deployments.get(of.DeploymentID);
  if (entry === undefined) return refuse(step, "refused", "deployment not found");
  return entry.active ? { entry } : refuse(step, "refused", ended);
}

function answer(step: Step, { deployment }: DeploymentEntry, fields: Partial<Outcome> = {}): Outcome {
  return done(step, { DeploymentModifyIndex: deployment.ModifyIndex, ...fields });
}

/** With the evaluation that acts on what changed. */
function evaluated(state: State, step: Step, entry: DeploymentEntry): Outcome {
  const { ID, Namespace, JobID, EvalPriority } = entry.deployment;
  const job = state.jobs.get(Namespace, JobID);
  if (job === undefined) return answer(step, entry);
  const Priority = EvalPriority || job.job.Priority;
  const evaluation = createEvaluation(state, step, job.job, "deployment-watcher", { DeploymentID: ID, Priority });
  state.refreshStatus(step, job);
  return answer(step, entry, { EvalID: evaluation.ID, EvalCreateIndex: step.index });
}
