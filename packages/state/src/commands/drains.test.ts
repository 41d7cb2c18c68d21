import { mockJob, mockNode } from "@steppe/model/internal";
import { ClaimLease, RegisterJob } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { decodeSnapshot } from "../decode-snapshot.ts";
import { encodeSnapshot } from "../encode-snapshot.ts";
import { Ledger, planFor } from "../testing/ledger.ts";

/** A node with two allocations of a job, and a leader. */
function world() {
  const ledger = new Ledger();
  const node = mockNode({ ID: ledger.id() });
  ledger.run({ $case: "RegisterNode", value: { Node: node } });
  const job = mockJob({ ID: "web" });
  const { EvalID } = ledger.run({ $case: "RegisterJob", value: { ...RegisterJob.create(), Job: job } });
  const rows: [number, string][] = [
    [0, node.ID],
    [1, node.ID],
  ];
  ledger.run({ $case: "ApplyPlan", value: planFor(ledger, EvalID, "web", "web", rows) });
  const { Term } = ledger.run({ $case: "ClaimLease", value: ClaimLease.create({ Holder: "a", TTL: 60e9 }) });
  const drain = (
    Deadline: number | undefined,
    fields: { MarkEligible?: boolean; Meta?: Record<string, string> } = {},
  ) => {
    const DrainSpec = Deadline === undefined ? undefined : { Deadline, IgnoreSystemJobs: false };
    const value = { NodeID: node.ID, DrainSpec, MarkEligible: false, Meta: {}, ...fields };
    return ledger.run({ $case: "UpdateNodeDrain", value });
  };
  const allocations = () => [...(ledger.state.jobs.get("default", "web")?.allocations ?? [])];
  return { ledger, id: node.ID, node: () => ledger.state.nodes.get(node.ID), Term, drain, allocations };
}

describe("node drain", () => {
  test("begun, changed and canceled: strategy, times and metadata follow; the node stays ineligible", () => {
    const { ledger, node, drain } = world();
    const began = ledger.now;
    drain(60e9, { Meta: { why: "disk" } });
    expect(node()?.DrainStrategy).toMatchObject({ Deadline: 60e9, StartedAt: began, ForceDeadline: began + 60e9 });
    ledger.now += 5e9;
    drain(0);
    expect(node()?.DrainStrategy).toMatchObject({ Deadline: 0, StartedAt: began, ForceDeadline: 0 });
    expect(node()?.LastDrain).toMatchObject({ Status: "draining", StartedAt: began, UpdatedAt: ledger.now });
    expect(drain(undefined).EvalIDs).toEqual([]);
    expect(node()).toMatchObject({
      Drain: false,
      SchedulingEligibility: "ineligible",
      LastDrain: { Status: "canceled" },
    });
  });

  test("canceled and marked eligible: the jobs that it concerns are evaluated", () => {
    const { ledger, node, drain } = world();
    drain(0);
    const { EvalIDs, EvalCreateIndex, Index } = drain(undefined, { MarkEligible: true });
    expect(node()?.SchedulingEligibility).toBe("eligible");
    expect(EvalIDs.map((id) => ledger.state.evaluations.get(id)?.JobID)).toEqual(["web"]);
    expect(EvalCreateIndex).toBe(Index);
  });

  test("a node that registers again, goes on draining", () => {
    const { ledger, id, node, drain } = world();
    drain(0);
    ledger.run({ $case: "RegisterNode", value: { Node: mockNode({ ID: id }) } });
    expect(node()).toMatchObject({
      Drain: true,
      SchedulingEligibility: "ineligible",
      LastDrain: { Status: "draining" },
    });
  });

  test("eligible while it drains, is refused", () => {
    const { ledger, id, drain } = world();
    drain(0);
    const value = { NodeID: id, Eligibility: "eligible" };
    expect(ledger.run({ $case: "UpdateNodeEligibility", value }).Refusal?.Message).toBe(
      "can not set node's scheduling eligibility to eligible while it is draining",
    );
  });

  test("allocations marked: one evaluation of their job, and a mark that a snapshot keeps", () => {
    const { ledger, Term, allocations } = world();
    const AllocIDs = allocations().map(({ ID }) => ID);
    const { EvalIDs } = ledger.run({ $case: "MigrateAllocations", value: { Term, AllocIDs } });
    expect(EvalIDs.map((id) => ledger.state.evaluations.get(id)?.TriggeredBy)).toEqual(["node-drain"]);
    expect(ledger.run({ $case: "MigrateAllocations", value: { Term, AllocIDs } }).EvalIDs).toEqual([]);
    const restored = decodeSnapshot(Buffer.concat([...encodeSnapshot(ledger.state)]));
    expect([...restored.allocations.byId.values()].map(({ Migrate }) => Migrate)).toEqual([true, true]);
  });

  test.each(["MigrateAllocations", "CompleteDrains"] as const)(
    "%s of a leader whose term passed, is refused",
    (kind) => {
      const { ledger, Term } = world();
      ledger.now += 61e9;
      const value = { Term, AllocIDs: [], NodeIDs: [] };
      expect(ledger.run({ $case: kind, value } as never).Refusal?.Code).toBe("stale-term");
    },
  );

  test("a node that nobody knows, is refused everywhere", () => {
    const { ledger } = world();
    const NodeID = ledger.id();
    const kinds: Parameters<Ledger["run"]>[0][] = [
      { $case: "UpdateNodeDrain", value: { NodeID, DrainSpec: undefined, MarkEligible: false, Meta: {} } },
      { $case: "UpdateNodeEligibility", value: { NodeID, Eligibility: "eligible" } },
      { $case: "EvaluateNode", value: { NodeID } },
      { $case: "DeregisterNodes", value: { NodeIDs: [NodeID] } },
    ];
    for (const kind of kinds) expect(ledger.run(kind).Refusal?.Message).toBe("node not found");
  });

  test("evaluated and purged: the evaluations are told; what ran there is lost", () => {
    const { ledger, id, allocations } = world();
    expect(ledger.run({ $case: "EvaluateNode", value: { NodeID: id } }).EvalIDs).toHaveLength(1);
    expect(ledger.run({ $case: "DeregisterNodes", value: { NodeIDs: [id] } }).EvalIDs).toHaveLength(1);
    expect(allocations().map(({ ClientStatus }) => ClientStatus)).toEqual(["lost", "lost"]);
  });
});
