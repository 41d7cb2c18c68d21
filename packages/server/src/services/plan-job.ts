import { nextLaunch } from "@steppe/control";
import { annotateDiff, diffJobs, isPeriodicActive, type Random, SteppeError } from "@steppe/model";
import { type AllocListStub, Evaluation, type Job, JobPlanResponse, type Plan, PlanAnnotations } from "@steppe/proto";
import { schedule } from "@steppe/scheduler";
import { type StateView, transitionConflict, withJob } from "@steppe/state";
import { AllocationRow } from "./stubs.ts";

export interface PlanParts {
  readonly view: StateView;
  readonly random: Random;
  /** Unix nanoseconds. */
  readonly now: number;
}

/**
 * What registering the job would do, found by doing it: the scheduler runs as it would, on a view
 * that shows the new version, and its plan goes nowhere. `job` is canonical and valid.
 */
export function planJob(job: Job, wantsDiff: boolean, { view, random, now }: PlanParts): JobPlanResponse {
  const existing = view.jobs.get(job.Namespace, job.ID)?.job;
  const conflict = existing && transitionConflict(job, existing);
  if (conflict !== undefined) throw new SteppeError("refused", conflict);
  const overlay = withJob(view, job);
  const planned = overlay.jobs.get(job.Namespace, job.ID)?.job ?? job;
  const plan = schedule(overlay, evaluationOf(planned, random.id()), { now, random });
  const Annotations = plan.Result?.Annotations ?? PlanAnnotations.create();
  Annotations.PreemptedAllocs = preempted(view, plan);
  const Diff = wantsDiff ? diffJobs(existing, planned) : undefined;
  if (Diff !== undefined) annotateDiff(Diff, Annotations.DesiredTGUpdates);
  return JobPlanResponse.create({
    Annotations,
    FailedTGAllocs: plan.Result?.FailedTGAllocs ?? {},
    JobModifyIndex: existing?.JobModifyIndex ?? 0,
    CreatedEvals: plan.Evaluations,
    Diff,
    NextPeriodicLaunch: nextLaunchOf(job, now),
    Index: Math.max(view.index, 1),
  });
}

/** What the plan would evict. */
function preempted(view: StateView, { Placements }: Plan): AllocListStub[] {
  const ids = Placements.flatMap(({ Evictions }) => Object.values(Evictions).flatMap(({ AllocIDs }) => AllocIDs));
  return ids.flatMap((id) => {
    const allocation = view.allocations.get(id);
    return allocation === undefined ? [] : [new AllocationRow(view, allocation)];
  });
}

function evaluationOf(job: Job, id: string): Evaluation {
  return Evaluation.create({
    ...{ ID: id, Namespace: job.Namespace, Priority: job.Priority, Type: job.Type, TriggeredBy: "job-register" },
    ...{ JobID: job.ID, JobModifyIndex: job.JobModifyIndex, Status: "pending", AnnotatePlan: true },
  });
}

/** 0 for a job that launches nothing. */
function nextLaunchOf(job: Job, now: number): number {
  return job.Periodic !== undefined && isPeriodicActive(job) ? (nextLaunch(job.Periodic, now) ?? 0) : 0;
}
