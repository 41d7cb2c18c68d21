import type { Evaluation, Job, TaskGroup } from "@steppe/proto";
import type { Pass } from "./pass.ts";
import { rollingEvaluation } from "./plan/evaluations.ts";

/** Templates of periodic and dispatched jobs run nothing themselves. */
export function isRunnable(job: Job): boolean {
  const isTemplate = job.Periodic !== undefined || (job.ParameterizedJob !== undefined && !job.Dispatched);
  return !job.Stop && !isTemplate;
}

/**
 * How many running allocations of a group of a system job an update may replace in this pass. None
 * while the evaluation that takes the next step is on its way. Service jobs have deployments.
 */
export function destructiveMax(pass: Pass, { Update }: TaskGroup): number {
  const most = Update?.MaxParallel ?? 0;
  const steps = pass.job.Type === "system";
  if (!steps || most <= 0) return Number.POSITIVE_INFINITY;
  return nextStep(pass) === undefined ? most : 0;
}

/** What had to wait goes on after the stagger of its groups, the longest of them. */
export function rollOn(pass: Pass, heldBack: readonly TaskGroup[]): void {
  if (heldBack.length === 0) return;
  const planned = nextStep(pass);
  if (planned !== undefined) {
    pass.draft.continueWith(planned.ID);
    return;
  }
  const stagger = Math.max(...heldBack.map(({ Update }) => Update?.Stagger ?? 0));
  const waitUntil = pass.context.now + stagger;
  const next = rollingEvaluation(pass.evaluation, pass.job, pass.context.random.id(), waitUntil);
  pass.draft.continueWith(next.ID, next);
}

/** The step that is planned already for this version of the job. */
function nextStep({ view, evaluation, job, context }: Pass): Evaluation | undefined {
  for (const id of view.evaluations.ofJob(job.Namespace, job.ID)?.ids ?? []) {
    const other = view.evaluations.get(id);
    if (other === undefined || other.ID === evaluation.ID || other.Status !== "pending") continue;
    const isStep = other.TriggeredBy === "rolling-update" && other.JobModifyIndex === job.JobModifyIndex;
    if (isStep && other.WaitUntil > context.now) return other;
  }
  return undefined;
}
