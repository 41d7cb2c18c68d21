import { TRIGGERS, unknownTrigger } from "@steppe/model";
import { type Evaluation, type Plan, PlanResult } from "@steppe/proto";
import type { StateView } from "@steppe/state";
import type { SchedulerContext } from "./context.ts";
import { Pass } from "./pass.ts";
import { Draft } from "./plan/draft.ts";
import { scheduleService } from "./reconcile/service.ts";
import { scheduleSystem } from "./reconcile/system.ts";
import { Scratch } from "./scratch.ts";

const KNOWN_TRIGGERS: ReadonlySet<string> = new Set(TRIGGERS);

const SCHEDULERS: Readonly<Record<string, (pass: Pass) => void>> = {
  service: scheduleService,
  batch: scheduleService,
  system: scheduleSystem,
  sysbatch: scheduleSystem,
};

/**
 * Compares what the evaluation's job wants with what runs, and decides what has to change. Always
 * gives a plan, with how the evaluation ends in its `Result`: complete, failed, or blocked again.
 * Synchronous, and reads nothing but its arguments; the view is not changed.
 */
export function schedule(view: StateView, evaluation: Evaluation, context: SchedulerContext): Plan {
  const job = view.jobs.get(evaluation.Namespace, evaluation.JobID);
  const refusal = refusalOf(evaluation);
  if (job === undefined || refusal !== undefined) {
    const plan = new Draft(view, evaluation, job?.job, context, new Scratch()).finish();
    if (refusal !== undefined) plan.Result = PlanResult.create({ Status: "failed", StatusDescription: refusal });
    return plan;
  }
  const pass = new Pass(view, evaluation, job, context);
  SCHEDULERS[job.job.Type]?.(pass);
  return pass.draft.finish();
}

function refusalOf({ TriggeredBy, Type }: Evaluation): string | undefined {
  if (!KNOWN_TRIGGERS.has(TriggeredBy)) return unknownTrigger(TriggeredBy);
  return Object.hasOwn(SCHEDULERS, Type) ? undefined : `no scheduler for evaluations of type '${Type}'`;
}
