import type { AllocationUpdate, Outcome, UpdateAllocations } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, type Step } from "../step.ts";
import type { AllocationState } from "../tables/allocations.ts";
import type { JobState } from "../tables/jobs.ts";
import { createEvaluation } from "./create-evaluation.ts";
import { takeHealth } from "./deployment-course.ts";

/** Takes in what node agents report. Reports on allocations that are gone are dropped: nothing can depend on them. */
export function updateAllocations(state: State, step: Step, command: UpdateAllocations): Outcome {
  const triggers = new Map<JobState, string>();
  const touched = new Set<JobState>();
  for (const update of command.Updates) {
    const allocation = state.allocations.get(update.ID);
    if (allocation === undefined || !isNews(allocation, update)) continue;
    const returns = allocation.ClientStatus === "unknown" && update.ClientStatus !== "unknown";
    state.changeAllocation(step, allocation, false, (it) => {
      take(state, it, update);
      const health = update.DeploymentStatus;
      // Once known it stays, as the node's word goes; and what it says of another deployment says nothing of this one.
      const isOpen = it.isHealthy === undefined && update.DeploymentID === it.DeploymentID;
      if (health !== undefined && isOpen) takeHealth(state, step, it, health);
    });
    const job = state.jobs.get(allocation.Namespace, allocation.JobID);
    if (job === undefined) continue;
    touched.add(job);
    if (allocation.DesiredStatus !== "run" || job.job.Stop) continue;
    // One evaluation looks at both; what came back is more than that something failed.
    if (returns) triggers.set(job, "reconnect");
    else if (update.ClientStatus === "failed" && !triggers.has(job)) triggers.set(job, "alloc-failure");
  }
  for (const [job, trigger] of triggers) createEvaluation(state, step, job.job, trigger);
  for (const job of touched) state.refreshStatus(step, job);
  return done(step);
}

/** A late report must not revive what was given up for lost and replaced. */
function isNews(allocation: AllocationState, update: AllocationUpdate): boolean {
  if (allocation.ClientStatus === "lost") return false;
  const ended = allocation.ClientStatus === "complete" || allocation.ClientStatus === "failed";
  return !(ended && (update.ClientStatus === "pending" || update.ClientStatus === "running"));
}

function take({ texts, taskForms }: State, allocation: AllocationState, update: AllocationUpdate): void {
  allocation.ClientStatus = texts.of(update.ClientStatus);
  allocation.ClientDescription = texts.of(update.ClientDescription);
  allocation.report(taskForms.pack(update.TaskStates));
  if (update.NetworkStatus !== undefined) allocation.amend({ NetworkStatus: update.NetworkStatus });
}
