import { JobRegisterResponse, type Outcome } from "@steppe/proto";

/** The answer to most writes on a job. */
export function registerReply(outcome: Outcome): JobRegisterResponse {
  return {
    ...JobRegisterResponse.create(),
    EvalID: outcome.EvalID,
    EvalCreateIndex: outcome.EvalCreateIndex,
    JobModifyIndex: outcome.JobModifyIndex,
    Warnings: outcome.Warnings,
    Index: outcome.Index,
    JobID: outcome.JobID,
  };
}
