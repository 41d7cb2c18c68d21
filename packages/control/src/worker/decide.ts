import { EVALUATION_DESCRIPTIONS, maximumAttemptsReached } from "@steppe/model";
import { Evaluation, type Outcome, Plan, PlanResult } from "@steppe/proto";

/** Plans that may be refused in a row before the evaluation has failed. The peer's numbers. */
const ATTEMPTS: Readonly<Record<string, number>> = { service: 5, batch: 2, system: 5, sysbatch: 2 };

export function attemptsOf(type: string): number {
  return ATTEMPTS[type] ?? 5;
}

/** What came of submitting a plan, all its parts. */
export interface Submission {
  readonly kind: "committed" | "partial" | "stale" | "refused";
  /** Rows that took effect. */
  readonly placed: number;
  readonly reason: string;
}

/** `outcomes` of the parts that were submitted; parts after the first that did not commit whole are not. */
export function submissionOf(outcomes: readonly Outcome[]): Submission {
  const placed = outcomes.reduce((sum, outcome) => sum + outcome.Placed, 0);
  const last = outcomes.at(-1);
  if (last?.Refusal !== undefined) {
    return { kind: last.Refusal.Code === "stale-plan" ? "stale" : "refused", placed, reason: last.Refusal.Message };
  }
  return { kind: last !== undefined && last.RejectedNodes.length > 0 ? "partial" : "committed", placed, reason: "" };
}

/** Something found no place, or only in that of others. */
export function lacksRoom({ Result, Placements }: Plan): boolean {
  return (
    Object.keys(Result?.FailedTGAllocs ?? {}).length > 0 ||
    Placements.some(({ Evictions }) => Object.keys(Evictions).length > 0)
  );
}

export type Move =
  | { readonly kind: "done" }
  /** Look again, with this many attempts used. */
  | { readonly kind: "again"; readonly used: number }
  | { readonly kind: "exhausted" }
  | { readonly kind: "error"; readonly reason: string };

/** `used`: attempts without progress before this one. Progress starts the count anew. */
export function nextMove(type: string, used: number, { kind, placed, reason }: Submission): Move {
  if (kind === "committed") return { kind: "done" };
  if (kind === "refused") return { kind: "error", reason };
  const now = placed > 0 ? 0 : used + 1;
  return now >= attemptsOf(type) ? { kind: "exhausted" } : { kind: "again", used: now };
}

/** The job a plan is made for, as the worker's replica has it; undefined when it is gone. */
interface PlannedJob {
  readonly Version: number;
  readonly CreateIndex: number;
  readonly JobModifyIndex: number;
}

/**
 * Gives an evaluation up that lost every race, and leaves a blocked one that tries again when the
 * cluster is calmer. `last` is the plan that did not commit: what it could not place stands.
 */
export function exhaustedPlan(
  evaluation: Evaluation,
  job: PlannedJob | undefined,
  last: Plan,
  blockedId: string,
  index: number,
): Plan {
  const { ID, Namespace, JobID, Type, Priority } = evaluation;
  const blocked = Evaluation.create({
    ...{ ID: blockedId, Namespace, JobID, Type, Priority, Status: "blocked" },
    TriggeredBy: "max-plan-attempts",
    StatusDescription: EVALUATION_DESCRIPTIONS.maxPlanAttempts,
    PreviousEval: ID,
    JobModifyIndex: job?.JobModifyIndex ?? 0,
    SnapshotIndex: index,
  });
  return Plan.create({
    ...{ EvalID: ID, Namespace, JobID, SnapshotIndex: index },
    JobVersion: job?.Version ?? 0,
    JobCreateIndex: job?.CreateIndex ?? 0,
    JobModifyIndex: job?.JobModifyIndex ?? 0,
    Evaluations: [blocked],
    Result: PlanResult.create({
      Status: "failed",
      StatusDescription: maximumAttemptsReached(attemptsOf(Type)),
      BlockedEval: blockedId,
      FailedTGAllocs: last.Result?.FailedTGAllocs ?? {},
      QueuedAllocations: last.Result?.QueuedAllocations ?? {},
    }),
  });
}
