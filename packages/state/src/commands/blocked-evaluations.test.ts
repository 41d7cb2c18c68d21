import { mockJob, mockNode } from "@steppe/model/internal";
import { AllocMetric, Evaluation, PlanResult, RegisterJob } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { Ledger, planFor } from "../testing/ledger.ts";

/** A job whose evaluation found no room for anything. */
function blocked() {
  const ledger = new Ledger();
  ledger.run({ $case: "RegisterNode", value: { Node: mockNode({ ID: ledger.id() }) } });
  const register = () =>
    ledger.run({ $case: "RegisterJob", value: { ...RegisterJob.create(), Job: mockJob({ ID: "web" }) } }).EvalID;
  /** Ends the evaluation, with a blocked one for what found no place. */
  const block = (evalId: string, failed = AllocMetric.create(), told = failed): string => {
    const fields = { ID: ledger.id(), Namespace: "default", JobID: "web", Type: "service", Status: "blocked" };
    const index = { SnapshotIndex: ledger.state.index };
    const waiting = Evaluation.create({ ...fields, ...index, FailedTGAllocs: { web: told } });
    const FailedTGAllocs = { web: failed };
    const Result = { ...PlanResult.create(), Status: "complete", BlockedEval: waiting.ID, FailedTGAllocs };
    const plan = { ...planFor(ledger, evalId, "web", "web", []), Evaluations: [waiting], Result };
    ledger.run({ $case: "ApplyPlan", value: plan });
    return waiting.ID;
  };
  const complete = (evalId: string) =>
    ledger.run({ $case: "ApplyPlan", value: planFor(ledger, evalId, "web", "web", []) });
  const stop = (Purge: boolean) =>
    ledger.run({
      $case: "DeregisterJob",
      value: { Namespace: "default", JobID: "web", Purge, EvalPriority: 0, NoShutdownDelay: false },
    }).EvalID;
  const evaluation = (id: string) => ledger.state.evaluations.get(id);
  const waiting = block(register());
  return { ledger, register, block, complete, stop, evaluation, waiting };
}

describe("blocked evaluations of a job", () => {
  test("waits for what the one before did not place, the two keep that once", () => {
    const { block, register, evaluation } = blocked();
    const failed = AllocMetric.create({ NodesEvaluated: 2, DimensionExhausted: { cpu: 2 } });
    const [first, second] = [register(), register()];
    const same = block(first, failed);
    expect(evaluation(first)?.FailedTGAllocs).toBe(evaluation(same)?.FailedTGAllocs);
    expect(evaluation(first)?.FailedTGAllocs).toEqual({ web: failed });
    const other = AllocMetric.create({ NodesEvaluated: 2, DimensionExhausted: { memory: 2 } });
    const different = block(second, failed, other);
    expect(evaluation(second)?.FailedTGAllocs).toEqual({ web: failed });
    expect(evaluation(different)?.FailedTGAllocs).toEqual({ web: other });
  });

  test("a second one, takes the place of the first", () => {
    const { block, register, evaluation, waiting } = blocked();
    const second = block(register());
    expect(evaluation(waiting)).toMatchObject({
      Status: "canceled",
      StatusDescription: 'existing blocked evaluation exists for job "web"',
    });
    expect(evaluation(second)?.Status).toBe("blocked");
  });

  test("a later evaluation places everything, it has nothing to wait for", () => {
    const { register, complete, evaluation, waiting } = blocked();
    const later = register();
    complete(later);
    expect(evaluation(waiting)).toMatchObject({
      Status: "canceled",
      StatusDescription: `evaluation "${later}" successful`,
    });
  });

  test("the job is stopped, it is canceled and the job is dead", () => {
    const { ledger, stop, complete, evaluation, waiting } = blocked();
    complete(stop(false));
    expect(evaluation(waiting)?.Status).toBe("canceled");
    expect(ledger.state.jobs.get("default", "web")?.job.Status).toBe("dead");
  });

  test("the job is purged, none is left open", () => {
    const { ledger, stop, evaluation, waiting } = blocked();
    const last = stop(true);
    expect(evaluation(waiting)?.Status).toBe("complete");
    const open = [...ledger.state.evaluations.byId.values()].filter(({ Status }) => Status !== "complete");
    expect(open.map(({ ID }) => ID)).toEqual([last]);
  });
});
