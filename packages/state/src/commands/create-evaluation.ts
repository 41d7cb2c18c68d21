import { Evaluation, type Job } from "@steppe/proto";
import type { State } from "../state.ts";
import type { Step } from "../step.ts";

/** A pending evaluation of a job, written at this step. */
export function createEvaluation(
  state: State,
  step: Step,
  job: Job,
  triggeredBy: string,
  fields: Partial<Evaluation> = {},
): Evaluation {
  const evaluation: Evaluation = {
    ...Evaluation.create(),
    ID: step.mint(),
    Namespace: job.Namespace,
    Priority: job.Priority,
    Type: job.Type,
    TriggeredBy: triggeredBy,
    JobID: job.ID,
    JobModifyIndex: job.JobModifyIndex,
    Status: "pending",
    CreateIndex: step.index,
    ModifyIndex: step.index,
    CreateTime: step.time,
    ModifyTime: step.time,
    ...fields,
  };
  state.putEvaluation(step, evaluation);
  return evaluation;
}
