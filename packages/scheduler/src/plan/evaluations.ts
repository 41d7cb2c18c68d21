import { EVALUATION_DESCRIPTIONS } from "@steppe/model";
import { Evaluation, type Job } from "@steppe/proto";

/** Waits for capacity, for what this evaluation could not place. */
export function blockedEvaluation(
  parent: Evaluation,
  job: Job | undefined,
  id: string,
  fields: Partial<Evaluation>,
): Evaluation {
  return {
    ...childOf(parent, job, id),
    TriggeredBy: "queued-allocs",
    Status: "blocked",
    StatusDescription: EVALUATION_DESCRIPTIONS.failedPlacements,
    ...fields,
  };
}

/** Replaces failed allocations once their delay is over. */
export function rescheduleEvaluation(parent: Evaluation, job: Job, id: string, waitUntil: number): Evaluation {
  return {
    ...childOf(parent, job, id),
    TriggeredBy: "alloc-failure",
    Status: "pending",
    StatusDescription: EVALUATION_DESCRIPTIONS.delayedReschedule,
    WaitUntil: waitUntil,
  };
}

/** Gives up for lost what is unknown for too long. */
export function disconnectEvaluation(parent: Evaluation, job: Job, id: string, waitUntil: number): Evaluation {
  return {
    ...childOf(parent, job, id),
    TriggeredBy: "max-disconnect-timeout",
    Status: "pending",
    StatusDescription: EVALUATION_DESCRIPTIONS.disconnectTimeout,
    WaitUntil: waitUntil,
  };
}

function childOf(parent: Evaluation, job: Job | undefined, id: string): Evaluation {
  return Evaluation.create({
    ID: id,
    Namespace: parent.Namespace,
    Priority: parent.Priority,
    Type: parent.Type,
    JobID: parent.JobID,
    JobModifyIndex: job?.JobModifyIndex ?? parent.JobModifyIndex,
    PreviousEval: parent.ID,
  });
}
