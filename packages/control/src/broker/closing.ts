import { deliveryLimitReached } from "@steppe/model";
import { Evaluation } from "@steppe/proto";

/** StatusDescription of evaluations that the broker cancels. */
export const AFTER_NEWER = "canceled after more recent eval was processed";

export function canceled(evaluation: Evaluation, description: string): Evaluation {
  return { ...evaluation, Status: "canceled", StatusDescription: description };
}

/** A failed evaluation, and one that tries again later. */
export function failedWithFollowUp(
  evaluation: Evaluation,
  deliveries: number,
  followUp: { readonly id: string; readonly notBeforeNs: number } | undefined,
): Evaluation[] {
  const failed: Evaluation = {
    ...evaluation,
    Status: "failed",
    StatusDescription: deliveryLimitReached(deliveries),
    NextEval: followUp?.id ?? "",
  };
  if (followUp === undefined) return [failed];
  return [
    failed,
    {
      ...Evaluation.create(),
      ID: followUp.id,
      Namespace: evaluation.Namespace,
      Priority: evaluation.Priority,
      Type: evaluation.Type,
      TriggeredBy: "failed-follow-up",
      JobID: evaluation.JobID,
      JobModifyIndex: evaluation.JobModifyIndex,
      Status: "pending",
      WaitUntil: followUp.notBeforeNs,
      PreviousEval: evaluation.ID,
    },
  ];
}
