import { mockJob, mockNode } from "@steppe/model/internal";
import { RegisterJob, SchedulerConfiguration } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { decodeSnapshot } from "../decode-snapshot.ts";
import { encodeSnapshot } from "../encode-snapshot.ts";
import { Ledger, planFor } from "../testing/ledger.ts";

const set = (fields: Partial<SchedulerConfiguration>, cas?: number) =>
  ({
    $case: "SetSchedulerConfiguration",
    value: {
      Config: { ...SchedulerConfiguration.create(), ...fields },
      CheckIndex: cas !== undefined,
      ModifyIndex: cas ?? 0,
    },
  }) as const;

const restored = (ledger: Ledger) => decodeSnapshot(Buffer.concat([...encodeSnapshot(ledger.state)]));

describe("scheduler configuration", () => {
  test("never set, bin-packs and lets system jobs preempt", () => {
    expect(new Ledger().state.schedulerConfiguration).toMatchObject({
      SchedulerAlgorithm: "binpack",
      PreemptionConfig: { SystemSchedulerEnabled: true, ServiceSchedulerEnabled: false },
    });
  });

  test("set twice, keeps the index it was created at; a snapshot has it", () => {
    const ledger = new Ledger();
    ledger.run(set({ SchedulerAlgorithm: "spread" }));
    const outcome = ledger.run(set({ RejectJobRegistration: true }));
    expect(outcome).toMatchObject({ Updated: true, Index: 2, Refusal: undefined });
    expect(ledger.state.schedulerConfiguration).toMatchObject({
      SchedulerAlgorithm: "binpack",
      RejectJobRegistration: true,
      CreateIndex: 1,
      ModifyIndex: 2,
    });
    expect(restored(ledger).schedulerConfiguration).toEqual(ledger.state.schedulerConfiguration);
  });

  test("with an index, is set only where that is the one there", () => {
    const ledger = new Ledger();
    ledger.run(set({}, 0));
    expect(ledger.run(set({ PauseEvalBroker: true }, 7)).Updated).toBe(false);
    expect(ledger.state.schedulerConfiguration.PauseEvalBroker).toBe(false);
    expect(ledger.run(set({ PauseEvalBroker: true }, 1)).Updated).toBe(true);
  });

  test("an algorithm that nobody knows, is refused", () => {
    expect(new Ledger().run(set({ SchedulerAlgorithm: "random" })).Refusal).toEqual({
      Code: "invalid",
      Message: "invalid scheduler algorithm: random",
    });
  });
});

describe("a plan that evicts", () => {
  /** A node of 3,900 MHz with three allocations of 1,200 of job `low`, and an open evaluation of job `high`. */
  function world() {
    const ledger = new Ledger();
    const node = mockNode({ ID: ledger.id() });
    ledger.run({ $case: "RegisterNode", value: { Node: node } });
    const register = (name: string, priority: number) => {
      const job = mockJob({ ID: name, Name: name, Priority: priority });
      for (const { Resources } of job.TaskGroups.flatMap(({ Tasks }) => Tasks))
        Object.assign(Resources ?? {}, { CPU: 1_200 });
      return ledger.run({ $case: "RegisterJob", value: { ...RegisterJob.create(), Job: job } }).EvalID;
    };
    const rows = [0, 1, 2].map((n): [number, string] => [n, node.ID]);
    ledger.run({ $case: "ApplyPlan", value: planFor(ledger, register("low", 20), "low", "web", rows) });
    const plan = planFor(ledger, register("high", 80), "high", "web", [[0, node.ID]]);
    const [victim] = [...ledger.state.allocations.byId.keys()];
    return { ledger, plan, victim: victim as string };
  }

  test("its row fits only without the victim: both name each other, and the victim's job is evaluated", () => {
    const { ledger, plan, victim } = world();
    for (const placements of plan.Placements) placements.Evictions = { 0: { AllocIDs: [victim] } };
    expect(ledger.run({ $case: "ApplyPlan", value: plan })).toMatchObject({ Placed: 1, RejectedNodes: [] });
    const winner = [...(ledger.state.jobs.get("default", "high")?.allocations ?? [])][0];
    expect(winner?.PreemptedAllocations).toEqual([victim]);
    expect(ledger.state.allocations.get(victim)).toMatchObject({
      DesiredStatus: "evict",
      DesiredDescription: `Preempted by alloc ID ${winner?.ID}`,
      PreemptedByAllocation: winner?.ID,
    });
    expect([...ledger.state.evaluations.byId.values()].at(-1)).toMatchObject({
      TriggeredBy: "preemption",
      JobID: "low",
    });
    const copy = restored(ledger);
    expect(copy.allocations.get(victim)?.PreemptedByAllocation).toBe(winner?.ID);
    expect(copy.allocations.get(winner?.ID ?? "")?.PreemptedAllocations).toEqual([victim]);
    expect(ledger.replay().digest.value).toBe(ledger.state.digest.value);
  });

  test("its row is refused: the victim runs on", () => {
    const { ledger, plan, victim } = world();
    for (const placements of plan.Placements) placements.Evictions = { 0: { AllocIDs: [victim] } };
    for (const node of ledger.state.nodes.slotOf.keys()) {
      ledger.run({ $case: "UpdateNodeEligibility", value: { NodeID: node, Eligibility: "ineligible" } });
    }
    expect(ledger.run({ $case: "ApplyPlan", value: plan }).RejectedNodes).toHaveLength(1);
    expect(ledger.state.allocations.get(victim)?.DesiredStatus).toBe("run");
  });

  test("no victim named: the row does not fit", () => {
    const { ledger, plan } = world();
    expect(ledger.run({ $case: "ApplyPlan", value: plan }).RejectedNodes).toHaveLength(1);
  });
});
