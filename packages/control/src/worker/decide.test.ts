import { AllocMetric, Evaluation, Outcome, Placements, Plan, PlanResult } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { exhaustedPlan, lacksRoom, nextMove, submissionOf } from "./decide.ts";

const outcome = (fields: Parameters<typeof Outcome.create>[0]) => Outcome.create(fields ?? {});

describe("worker, what came of a plan", () => {
  test.each([
    ["all parts whole", [outcome({ Placed: 2 }), outcome({ Placed: 3 })], "committed", 5],
    ["the second part partly", [outcome({ Placed: 2 }), outcome({ Placed: 1, RejectedNodes: ["n"] })], "partial", 3],
    ["another job by now", [outcome({ Refusal: { Code: "stale-plan", Message: "m" } })], "stale", 0],
    ["refused for good", [outcome({ Refusal: { Code: "internal", Message: "m" } })], "refused", 0],
  ] as const)("%s", (_, outcomes, kind, placed) => {
    expect(submissionOf(outcomes)).toMatchObject({ kind, placed });
  });

  const partial = { kind: "partial", placed: 0, reason: "" } as const;
  test.each([
    ["committed", "service", 0, { ...partial, kind: "committed" }, { kind: "done" }],
    ["no progress", "service", 0, partial, { kind: "again", used: 1 }],
    ["progress", "service", 4, { ...partial, placed: 1 }, { kind: "again", used: 0 }],
    ["the fifth time without progress, service", "service", 4, partial, { kind: "exhausted" }],
    ["the second time without progress, batch", "batch", 1, partial, { kind: "exhausted" }],
    ["stale", "system", 2, { ...partial, kind: "stale" }, { kind: "again", used: 3 }],
    ["refused", "sysbatch", 0, { ...partial, kind: "refused", reason: "r" }, { kind: "error", reason: "r" }],
  ] as const)("%s", (_, type, used, submission, move) => {
    expect(nextMove(type, used, submission)).toEqual(move);
  });

  test.each([
    ["all has a place", {}, false],
    ["something found none", { Result: PlanResult.create({ FailedTGAllocs: { web: AllocMetric.create() } }) }, true],
    ["others make room", { Placements: [Placements.create({ Evictions: { 0: { AllocIDs: ["a"] } } })] }, true],
  ])("lacks room: %s", (_, fields, lacks) => {
    expect(lacksRoom({ ...Plan.create(), ...fields })).toBe(lacks);
  });

  test("every attempt used, fails the evaluation and leaves a blocked one", () => {
    const evaluation = Evaluation.create({
      ID: "e",
      Namespace: "default",
      JobID: "web",
      Type: "service",
      Priority: 70,
    });
    const last = Plan.create({ Result: PlanResult.create({ QueuedAllocations: { web: 3 } }) });
    const plan = exhaustedPlan(evaluation, { Version: 2, CreateIndex: 5, JobModifyIndex: 9 }, last, "b", 30);
    expect(plan).toMatchObject({ EvalID: "e", JobVersion: 2, JobCreateIndex: 5, JobModifyIndex: 9, SnapshotIndex: 30 });
    expect(plan.Result).toMatchObject({ Status: "failed", BlockedEval: "b", QueuedAllocations: { web: 3 } });
    expect(plan.Evaluations).toMatchObject([
      {
        ...{ ID: "b", Status: "blocked", TriggeredBy: "max-plan-attempts", PreviousEval: "e", Priority: 70 },
        ...{ StatusDescription: "created due to placement conflicts", JobModifyIndex: 9, SnapshotIndex: 30 },
      },
    ]);
  });
});
