import { reportedIds } from "@steppe/model";
import type { AllocationUpdate, Outcome, ReportAllocations, UpdateAllocations } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, type Step } from "../step.ts";
import type { AllocationState } from "../tables/allocations.ts";
import type { JobState } from "../tables/jobs.ts";
import type { PackedTasks } from "../tables/task-forms.ts";
import { createEvaluation } from "./create-evaluation.ts";
import { countHealth, HealthTally, judge, type Turned } from "./deployment-health.ts";

/** Takes in what node agents report. Reports on allocations that are gone are dropped: nothing can depend on them. */
export function updateAllocations(state: State, step: Step, command: UpdateAllocations): Outcome {
  const followed = new Followed(state, step);
  for (const update of command.Updates) {
    const allocation = state.allocations.get(update.ID);
    if (allocation === undefined || !isNews(allocation, update)) continue;
    const before = allocation.ClientStatus;
    state.changeAllocation(step, allocation, false, (it) => {
      take(state, it, update, state.taskForms.pack(update.TaskStates));
      const turned = judgeOnce(state, step, it, update, update.DeploymentID);
      if (turned !== undefined) countHealth(state, step, it, turned);
    });
    followed.add(allocation, before, update.ClientStatus);
  }
  followed.settle();
  return done(step);
}

/**
 * The same of many allocations at once. It leads to what the updates one by one would lead to, but that each deployment
 * is written once.
 */
export function reportAllocations(state: State, step: Step, command: ReportAllocations): Outcome {
  const followed = new Followed(state, step);
  const tally = new HealthTally();
  for (const { Update: update, Of } of command.Reports) {
    if (update === undefined) continue;
    const tasks = state.taskForms.pack(update.TaskStates);
    for (const { DeploymentID, AllocIDs } of Of) {
      for (const id of reportedIds(AllocIDs)) {
        const allocation = state.allocations.get(id);
        if (allocation === undefined || !isNews(allocation, update)) continue;
        const before = allocation.ClientStatus;
        state.changeAllocation(step, allocation, false, (it) => {
          take(state, it, update, tasks);
          const turned = judgeOnce(state, step, it, update, DeploymentID);
          if (turned !== undefined) tally.add(it, turned);
        });
        followed.add(allocation, before, update.ClientStatus);
      }
    }
  }
  tally.settle(state, step);
  followed.settle();
  return done(step);
}

/** What follows for the jobs of reported allocations, once for each job. */
class Followed {
  readonly #state: State;
  readonly #step: Step;
  readonly #triggers: Map<JobState, string> = new Map();
  readonly #touched: Set<JobState> = new Set();

  constructor(state: State, step: Step) {
    this.#state = state;
    this.#step = step;
  }

  add(allocation: AllocationState, before: string, status: string): void {
    const job = this.#state.jobs.of(allocation.Job);
    if (job === undefined) return;
    this.#touched.add(job);
    if (allocation.DesiredStatus !== "run" || job.job.Stop) return;
    // One evaluation looks at both; what came back is more than that something failed.
    if (before === "unknown" && status !== "unknown") this.#triggers.set(job, "reconnect");
    else if (status === "failed" && !this.#triggers.has(job)) this.#triggers.set(job, "alloc-failure");
  }

  settle(): void {
    for (const [job, trigger] of this.#triggers) createEvaluation(this.#state, this.#step, job.job, trigger);
    for (const job of this.#touched) this.#state.refreshStatus(this.#step, job);
  }
}

/** A late report must not revive what was given up for lost and replaced. */
function isNews(allocation: AllocationState, update: AllocationUpdate): boolean {
  if (allocation.ClientStatus === "lost") return false;
  const ended = allocation.ClientStatus === "complete" || allocation.ClientStatus === "failed";
  return !(ended && (update.ClientStatus === "pending" || update.ClientStatus === "running"));
}

function take({ texts }: State, allocation: AllocationState, update: AllocationUpdate, tasks: PackedTasks): void {
  allocation.ClientStatus = texts.of(update.ClientStatus);
  allocation.ClientDescription = texts.of(update.ClientDescription);
  allocation.report(tasks);
  if (update.NetworkStatus !== undefined) allocation.amend({ NetworkStatus: update.NetworkStatus });
}

/** Health that is known stays, as the node's word goes; and what it says of another deployment says nothing of this one. */
function judgeOnce(
  state: State,
  step: Step,
  allocation: AllocationState,
  update: AllocationUpdate,
  of: string,
): Turned | undefined {
  const isOpen = allocation.isHealthy === undefined && of === allocation.DeploymentID;
  if (update.DeploymentStatus === undefined || !isOpen) return undefined;
  return judge(state, step, allocation, update.DeploymentStatus);
}
