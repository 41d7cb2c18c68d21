import type { Outcome, Plan, RegisterAndPlan } from "@steppe/proto";
import type { State } from "../state.ts";
import { refuse, type Step } from "../step.ts";
import { applyPlan } from "./apply-plan.ts";
import { registerJob } from "./register-job.ts";

/**
 * Registers a job and places it by a plan that was made when neither it nor its evaluation was there. The plan is checked
 * as any other, against the state as it is now. What of it does not take effect is left to the evaluation, which stays
 * open. For a job that was there before nothing of it does: what it runs may have changed since.
 */
export function registerAndPlan(state: State, step: Step, { Register, Plan }: RegisterAndPlan): Outcome {
  const job = Register?.Job;
  if (Register === undefined || job === undefined) return refuse(step, "invalid", "Job must be specified");
  const isNew = state.jobs.get(job.Namespace, job.ID) === undefined;
  const outcome = registerJob(state, step, Register);
  if (!isNew || Plan === undefined || outcome.EvalID === "") return outcome;
  const { Placed, RejectedNodes } = applyPlan(state, step, addressed(Plan, outcome, step.index));
  return { ...outcome, Placed, RejectedNodes };
}

/** To the evaluation and the job that the registration made. */
function addressed(plan: Plan, { EvalID, JobModifyIndex }: Outcome, index: number): Plan {
  const Evaluations = plan.Evaluations.map((it) => ({ ...it, PreviousEval: EvalID, JobModifyIndex }));
  return { ...plan, EvalID, JobCreateIndex: index, JobModifyIndex, Evaluations };
}
