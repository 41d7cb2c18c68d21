import { preemptedBy } from "@steppe/model";
import type { State } from "../state.ts";
import type { Step } from "../step.ts";
import type { AllocationState } from "../tables/allocations.ts";
import type { JobState } from "../tables/jobs.ts";
import { createEvaluation } from "./create-evaluation.ts";

/** Evicts what made room for an allocation; the jobs it was taken from are added to `robbed`. */
export function preempt(
  state: State,
  step: Step,
  preemptor: AllocationState,
  victims: readonly AllocationState[],
  robbed: Set<JobState>,
): void {
  for (const victim of victims) {
    state.changeAllocation(step, victim, true, (it) => {
      it.DesiredStatus = "evict";
      it.amend({ DesiredDescription: preemptedBy(preemptor.ID), PreemptedByAllocation: preemptor.ID });
    });
    const job = state.jobs.get(victim.Namespace, victim.JobID);
    if (job !== undefined) robbed.add(job);
  }
}

/** Each job that lost allocations looks for other places for them: one evaluation a job. */
export function evaluateRobbed(state: State, step: Step, robbed: ReadonlySet<JobState>): void {
  for (const job of robbed) {
    createEvaluation(state, step, job.job, "preemption");
    state.refreshStatus(step, job);
  }
}
