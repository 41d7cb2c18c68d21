import { mockJob, mockNode } from "@steppe/model/internal";
import { AllocMetric, Evaluation, type Plan, PlanResult, RegisterJob } from "@steppe/proto";
import { beforeEach, describe, expect, test } from "vitest";
import { decodeSnapshot } from "../decode-snapshot.ts";
import { encodeSnapshot } from "../encode-snapshot.ts";
import { Ledger, planFor } from "../testing/ledger.ts";

const node = mockNode();
const web = mockJob({ ID: "web" });
const group = web.TaskGroups[0]?.Name ?? "";

describe("a job that brings its plan", () => {
  let ledger: Ledger;
  beforeEach(() => {
    ledger = new Ledger();
    ledger.run({ $case: "RegisterNode", value: { Node: node } });
  });

  /** As whoever made it could know it: nothing of the job, and an evaluation of its own. */
  const planOf = (rows: readonly [number, string][], fields: Partial<Plan> = {}): Plan => ({
    ...planFor(ledger, ledger.id(), "web", group, rows),
    ...{ JobCreateIndex: 77, JobModifyIndex: 78 },
    ...fields,
  });
  const register = (plan: Plan | undefined, job = web, fields: Partial<RegisterJob> = {}) =>
    ledger.run({
      $case: "RegisterAndPlan",
      value: { Register: { ...RegisterJob.create({ Job: job }), ...fields }, Plan: plan },
    });
  const evaluationOf = (id: string) => ledger.state.evaluations.get(id);
  const namesOf = (id: string) =>
    [...(ledger.state.jobs.get("default", id)?.allocations ?? [])].map(({ Name, NodeID }) => [Name, NodeID]);

  test("is registered and placed by one entry", () => {
    const outcome = register(planOf([[0, node.ID]]));
    expect(outcome).toMatchObject({ Index: 2, JobModifyIndex: 2, EvalCreateIndex: 2, Placed: 1, RejectedNodes: [] });
    expect(namesOf("web")).toEqual([[`web.${group}[0]`, node.ID]]);
    expect(evaluationOf(outcome.EvalID)).toMatchObject({
      ...{ Status: "complete", TriggeredBy: "job-register", JobModifyIndex: 2, CreateIndex: 2, ModifyIndex: 2 },
    });
    expect(ledger.state.jobs.get("default", "web")?.job).toMatchObject({
      Status: "running",
      CreateIndex: 2,
      Version: 0,
    });
    expect(ledger.state.evaluations.ofJob("default", "web")?.open).toBe(0);
  });

  test("whose nodes have no room any more, is left to its evaluation", () => {
    const gone = mockNode({ ID: "00000000-0000-4000-8000-00000000dead" }).ID;
    const outcome = register(planOf([[0, gone]]));
    expect(outcome).toMatchObject({ Placed: 0, RejectedNodes: [gone] });
    expect(namesOf("web")).toEqual([]);
    expect(evaluationOf(outcome.EvalID)?.Status).toBe("pending");
    const later = planFor(ledger, outcome.EvalID, "web", group, [[0, node.ID]]);
    expect(ledger.run({ $case: "ApplyPlan", value: later })).toMatchObject({ Placed: 1, Refusal: undefined });
  });

  test("that came before, takes nothing of the plan", () => {
    register(undefined);
    const outcome = register(planOf([[0, node.ID]]), mockJob({ ID: "web", Priority: 70 }));
    expect(outcome).toMatchObject({ Placed: 0, Refusal: undefined });
    expect(namesOf("web")).toEqual([]);
    expect(evaluationOf(outcome.EvalID)?.Status).toBe("pending");
  });

  test("that is refused, leaves no trace", () => {
    const outcome = register(planOf([[0, node.ID]]), web, { EnforceIndex: true, JobModifyIndex: 9 });
    expect(outcome.Refusal?.Code).toBe("refused");
    expect(ledger.state.jobs.get("default", "web")).toBeUndefined();
    expect(ledger.state.allocations.byId.size).toBe(0);
    expect(ledger.state.evaluations.byId.size).toBe(0);
  });

  test("that found no room, waits for it in an evaluation that names the first one", () => {
    const blocked = Evaluation.create({
      ...{ ID: ledger.id(), Namespace: "default", JobID: "web", Type: "service", Status: "blocked" },
      ...{ PreviousEval: ledger.id(), JobModifyIndex: 78 },
    });
    const FailedTGAllocs = { [group]: AllocMetric.create() };
    const outcome = register(
      planOf([], { Evaluations: [blocked], Result: { ...PlanResult.create(), Status: "complete", FailedTGAllocs } }),
    );
    expect(evaluationOf(blocked.ID)).toMatchObject({
      Status: "blocked",
      PreviousEval: outcome.EvalID,
      JobModifyIndex: 2,
    });
    expect(evaluationOf(outcome.EvalID)?.Status).toBe("complete");
  });

  test("is the same on a replica and after a snapshot; a repeat changes nothing", () => {
    const value = { Register: RegisterJob.create({ Job: web }), Plan: planOf([[0, node.ID]]) };
    const first = ledger.run({ $case: "RegisterAndPlan", value }, "once");
    const restored = decodeSnapshot(Buffer.concat([...encodeSnapshot(ledger.state)]));
    expect(ledger.run({ $case: "RegisterAndPlan", value }, "once")).toEqual(first);
    expect(namesOf("web")).toHaveLength(1);
    ledger.replay(restored);
    expect(ledger.replay().digest.value).toBe(ledger.state.digest.value);
    expect(restored.digest.value).toBe(ledger.state.digest.value);
  });
});

test("open evaluations above a priority: while one is pending or blocked", () => {
  const ledger = new Ledger();
  const { evaluations } = ledger.state;
  ledger.run({ $case: "RegisterNode", value: { Node: node } });
  expect(evaluations.hasOpenAbove(1)).toBe(false);
  const { EvalID } = ledger.run({
    $case: "RegisterJob",
    value: RegisterJob.create({ Job: mockJob({ ID: "web", Priority: 60 }) }),
  });
  expect([evaluations.hasOpenAbove(59), evaluations.hasOpenAbove(60)]).toEqual([true, false]);
  const restored = decodeSnapshot(Buffer.concat([...encodeSnapshot(ledger.state)]));
  expect(restored.evaluations.hasOpenAbove(59)).toBe(true);
  ledger.run({ $case: "ApplyPlan", value: planFor(ledger, EvalID, "web", group, [[0, node.ID]]) });
  expect(evaluations.hasOpenAbove(59)).toBe(false);
});
