import type { Command, Entry, Outcome } from "@steppe/proto";
import { Changes } from "./changes.ts";
import { applyPlan } from "./commands/apply-plan.ts";
import { setAutopilotConfiguration } from "./commands/autopilot-configuration.ts";
import { collectGarbage, deleteEvaluations, reconcileSummaries } from "./commands/collect-garbage.ts";
import {
  advanceDeployments,
  failDeployment,
  moveDeployment,
  pauseDeployment,
  promoteDeployment,
  setAllocationHealth,
  unblockDeployment,
} from "./commands/deployments.ts";
import { deregisterJob } from "./commands/deregister-job.ts";
import { deregisterService } from "./commands/deregister-service.ts";
import { dispatchJob } from "./commands/dispatch-job.ts";
import { completeDrains, migrateAllocations, updateNodeDrain } from "./commands/drains.ts";
import { evaluateJob } from "./commands/evaluate-job.ts";
import { revertJob, setJobStability } from "./commands/job-versions.ts";
import { launchPeriodic } from "./commands/launch-periodic.ts";
import { claimLease, releaseLease } from "./commands/lease.ts";
import { deleteNamespaces, upsertNamespaces } from "./commands/namespaces.ts";
import { deleteNodePools, upsertNodePools } from "./commands/node-pools.ts";
import {
  deregisterNodes,
  evaluateNode,
  registerNode,
  updateNodeEligibility,
  updateNodeStatus,
} from "./commands/nodes.ts";
import { registerJob } from "./commands/register-job.ts";
import { registerCopy, settleCopies, stopCopy } from "./commands/rollouts.ts";
import { scaleJob } from "./commands/scale-job.ts";
import { setSchedulerConfiguration } from "./commands/scheduler-configuration.ts";
import { stopAllocation } from "./commands/stop-allocation.ts";
import { tagJobVersion } from "./commands/tag-job-version.ts";
import { reportAllocations, updateAllocations } from "./commands/update-allocations.ts";
import { upsertEvaluations } from "./commands/upsert-evaluations.ts";
import { expireVariableLocks, lockVariable, writeVariable } from "./commands/variables.ts";
import type { State } from "./state.ts";
import { createStep, done, type Step } from "./step.ts";

export interface Applied {
  /** One for each command of the entry, in order. */
  readonly outcomes: readonly Outcome[];
  readonly changes: Changes;
}

/**
 * Moves the state on by one log entry. Pure: the same state and entry give the same state, outcomes
 * and changes on every replica. Throws only when an invariant is broken (an entry out of order, a
 * command nobody knows, another digest than the leader had); the replica must then stop, since it can no longer agree with the others.
 */
export function apply(state: State, index: number, entry: Entry): Applied {
  if (state.index !== 0 && index !== state.index + 1) {
    throw new Error(`entry ${index} does not follow ${state.index}, the last one applied`);
  }
  state.index = index;
  state.time = Math.max(state.time, entry.Time);
  const changes = new Changes(index);
  const outcomes = entry.Commands.map((command) => applyOnce(state, command, changes));
  state.digest.number(index);
  state.digest.seal();
  state.digests.add(index, state.digest.value);
  return { outcomes, changes };
}

/** A request that was answered before is answered alike. */
function applyOnce(state: State, command: Command, changes: Changes): Outcome {
  const known = state.outcomes.get(command.RequestID);
  if (known !== undefined) return known;
  const outcome = dispatch(state, createStep(state.index, state.time, command.IDSeed, changes), command);
  outcome.Fingerprint = command.Fingerprint;
  if (command.RequestID !== "") state.outcomes.remember(command.RequestID, outcome, state.time);
  state.digest.text(outcome.Refusal?.Code ?? "");
  return outcome;
}

function dispatch(state: State, step: Step, { Kind: kind }: Command): Outcome {
  switch (kind?.$case) {
    case "RegisterJob":
      return registerJob(state, step, kind.value);
    case "DeregisterJob":
      return deregisterJob(state, step, kind.value);
    case "EvaluateJob":
      return evaluateJob(state, step, kind.value);
    case "LaunchPeriodic":
      return launchPeriodic(state, step, kind.value);
    case "UpsertEvaluations":
      return upsertEvaluations(state, step, kind.value);
    case "ApplyPlan":
      return applyPlan(state, step, kind.value);
    case "RegisterNode":
      return registerNode(state, step, kind.value);
    case "DeregisterNodes":
      return deregisterNodes(state, step, kind.value);
    case "UpdateNodeStatus":
      return updateNodeStatus(state, step, kind.value);
    case "UpdateNodeEligibility":
      return updateNodeEligibility(state, step, kind.value);
    case "UpdateAllocations":
      return updateAllocations(state, step, kind.value);
    case "ReportAllocations":
      return reportAllocations(state, step, kind.value);
    case "ClaimLease":
      return claimLease(state, step, kind.value);
    case "ReleaseLease":
      return releaseLease(state, step, kind.value);
    case "SetAutopilotConfiguration":
      return setAutopilotConfiguration(state, step, kind.value);
    case "SetSchedulerConfiguration":
      return setSchedulerConfiguration(state, step, kind.value);
    case "Barrier":
      return done(step);
    case "UpdateNodeDrain":
      return updateNodeDrain(state, step, kind.value);
    case "EvaluateNode":
      return evaluateNode(state, step, kind.value);
    case "MigrateAllocations":
      return migrateAllocations(state, step, kind.value);
    case "CompleteDrains":
      return completeDrains(state, step, kind.value);
    case "PromoteDeployment":
      return promoteDeployment(state, step, kind.value);
    case "PauseDeployment":
      return pauseDeployment(state, step, kind.value);
    case "FailDeployment":
      return failDeployment(state, step, kind.value);
    case "UnblockDeployment":
      return unblockDeployment(state, step, kind.value);
    case "SetAllocationHealth":
      return setAllocationHealth(state, step, kind.value);
    case "AdvanceDeployments":
      return advanceDeployments(state, step, kind.value);
    case "SetJobStability":
      return setJobStability(state, step, kind.value);
    case "RevertJob":
      return revertJob(state, step, kind.value);
    case "UpsertNamespaces":
      return upsertNamespaces(state, step, kind.value);
    case "DeleteNamespaces":
      return deleteNamespaces(state, step, kind.value);
    case "UpsertNodePools":
      return upsertNodePools(state, step, kind.value);
    case "DeleteNodePools":
      return deleteNodePools(state, step, kind.value);
    case "DispatchJob":
      return dispatchJob(state, step, kind.value);
    case "ScaleJob":
      return scaleJob(state, step, kind.value);
    case "DeregisterService":
      return deregisterService(state, step, kind.value);
    case "TagJobVersion":
      return tagJobVersion(state, step, kind.value);
    case "StopAllocation":
      return stopAllocation(state, step, kind.value);
    case "DeleteEvaluations":
      return deleteEvaluations(state, step, kind.value);
    case "CollectGarbage":
      return collectGarbage(state, step, kind.value);
    case "ReconcileSummaries":
      return reconcileSummaries(state, step, kind.value);
    case "WriteVariable":
      return writeVariable(state, step, kind.value);
    case "LockVariable":
      return lockVariable(state, step, kind.value);
    case "ExpireVariableLocks":
      return expireVariableLocks(state, step, kind.value);
    case "SettleCopies":
      return settleCopies(state, step, kind.value);
    case "RegisterCopy":
      return registerCopy(state, step, kind.value);
    case "StopCopy":
      return stopCopy(state, step, kind.value);
    case "MoveDeployment":
      return moveDeployment(state, step, kind.value);
    case undefined:
      throw new Error(`entry ${state.index} has a command that this version does not know; upgrade this server`);
    default:
      return kind satisfies never;
  }
}
