import { MINUTE } from "@steppe/model";
import { mockBatchJob, mockJob, mockNode, mockSystemJob } from "@steppe/model/internal";
import { AllocationUpdate, type Job } from "@steppe/proto";
import { schedule } from "@steppe/scheduler";
import type { AllocationView } from "@steppe/state";
import { describe, expect, test } from "vitest";
import { TestCluster } from "../testing/cluster.ts";

const idOf = (n: number) => mockNode({}, n).ID;

/** A region with the real scheduler, and agents that do at once what they are told. `keepsQuiet`: tells no health. */
async function led(nodes: number) {
  const cluster = new TestCluster();
  const first = cluster.server("a");
  cluster.worker("w", {
    schedule: (evaluation, _place, { view, clock, random }) =>
      schedule(view, evaluation, { now: clock.wallNs(), random }),
  });
  await cluster.region.clock.advance(1_000);
  await cluster.nodes(nodes);
  const agents = { keepsQuiet: false };
  cluster.client.onApplied(({ changes }) => {
    for (const it of changes.allocations) void obey(cluster, it, agents.keepsQuiet);
  });
  const drain = (n: number, spec: { Deadline?: number; IgnoreSystemJobs?: boolean } | undefined) =>
    cluster.write({
      $case: "UpdateNodeDrain",
      value: {
        ...{ NodeID: idOf(n), MarkEligible: false, Meta: {} },
        DrainSpec: spec && { Deadline: 0, IgnoreSystemJobs: false, ...spec },
      },
    });
  const on = (n: number, jobId?: string) =>
    [...cluster.client.view.nodes.allocationsOf(idOf(n))].filter(
      (it) => !it.terminal && (jobId === undefined || it.JobID === jobId),
    );
  const node = (n: number) => cluster.client.view.nodes.get(idOf(n));
  const settle = () => cluster.region.clock.advance(20_000);
  return { cluster, first, agents, drain, on, node, settle, clock: cluster.region.clock };
}

async function obey(cluster: TestCluster, allocation: AllocationView, quiet: boolean) {
  const { ID, DeploymentID, DesiredStatus, ClientStatus } = allocation;
  const ends = DesiredStatus !== "run" && (ClientStatus === "running" || ClientStatus === "pending");
  if (!ends && ClientStatus !== "pending") return;
  const health = { Healthy: true, Timestamp: 0, Canary: false, ModifyIndex: 0 };
  const update = AllocationUpdate.create({ ID, DeploymentID, ClientStatus: ends ? "complete" : "running" });
  if (!ends && !quiet) update.DeploymentStatus = health;
  await cluster.write({ $case: "UpdateAllocations", value: { Updates: [update] } });
}

function sized(job: Job, count: number, maxParallel = 1): Job {
  for (const group of job.TaskGroups) {
    group.Count = count;
    if (group.Migrate !== undefined) group.Migrate.MaxParallel = maxParallel;
  }
  return job;
}

describe("drain", () => {
  test("no deadline: moved in pace, then complete; the node stays ineligible (4 nodes)", async () => {
    const { cluster, drain, on, node, settle } = await led(4);
    await cluster.register(sized(mockJob({ ID: "web" }), 8));
    await settle();
    expect(on(0).length).toBeGreaterThan(0);
    await drain(0, {});
    expect(node(0)).toMatchObject({ Drain: true, SchedulingEligibility: "ineligible" });
    await settle();
    expect(on(0)).toEqual([]);
    expect(cluster.live("web")).toBe(8);
    expect(node(0)).toMatchObject({ Drain: false, DrainStrategy: undefined, SchedulingEligibility: "ineligible" });
    expect(node(0)?.LastDrain).toMatchObject({ Status: "complete" });
    expect(
      node(0)
        ?.Events.map(({ Message, Subsystem }) => `${Subsystem}: ${Message}`)
        .slice(-2),
    ).toEqual(["Drain: Node drain strategy set", "Drain: Node drain complete"]);
    expect(cluster.evaluationsOf("web").map(({ TriggeredBy }) => TriggeredBy)).toContain("node-drain");
  });

  test("replacements do not become healthy: no more than max_parallel are moved (2 nodes)", async () => {
    const { cluster, agents, drain, on, settle } = await led(1);
    await cluster.register(sized(mockJob({ ID: "web" }), 4, 2));
    await settle();
    await cluster.nodes(1, 1);
    agents.keepsQuiet = true;
    await drain(0, {});
    await settle();
    await settle();
    expect([on(0).length, on(1).length]).toEqual([2, 2]);
  });

  test("a batch job: runs on until the deadline, and is moved then (2 nodes)", async () => {
    const { cluster, drain, on, node, settle, clock } = await led(1);
    await cluster.register(sized(mockBatchJob({ ID: "work" }), 3));
    await settle();
    await cluster.nodes(1, 1);
    await drain(0, { Deadline: 10 * MINUTE });
    await clock.advance(9 * 60_000);
    expect([on(0).length, node(0)?.Drain]).toEqual([3, true]);
    await clock.advance(65_000);
    await settle();
    expect([on(0).length, on(1).length, node(0)?.Drain]).toEqual([0, 3, false]);
  });

  test("a negative deadline: everything goes at once (2 nodes)", async () => {
    const { cluster, drain, on, node, settle, clock } = await led(1);
    await cluster.register(sized(mockJob({ ID: "web" }), 4));
    await cluster.register(sized(mockBatchJob({ ID: "work" }), 1));
    await settle();
    await cluster.nodes(1, 1);
    await drain(0, { Deadline: -1 });
    await clock.advance(4_000);
    expect([on(0).length, node(0)?.Drain]).toEqual([0, false]);
  });

  test("system jobs: last, when the node has nothing else (2 nodes)", async () => {
    const { cluster, agents, drain, on, node, settle } = await led(1);
    await cluster.register(mockSystemJob({ ID: "logs" }));
    await cluster.register(sized(mockJob({ ID: "web" }), 2));
    await settle();
    await cluster.nodes(1, 1);
    agents.keepsQuiet = true;
    await drain(0, {});
    await settle();
    expect([on(0, "web").length, on(0, "logs").length]).toEqual([1, 1]);
    const [waiting] = on(1, "web");
    const health = { Healthy: true, Timestamp: 0, Canary: false, ModifyIndex: 0 };
    const update = AllocationUpdate.create({
      ID: waiting?.ID ?? "",
      DeploymentID: waiting?.DeploymentID ?? "",
      ClientStatus: "running",
      DeploymentStatus: health,
    });
    await cluster.write({ $case: "UpdateAllocations", value: { Updates: [update] } });
    await settle();
    expect([on(0).length, on(1, "web").length, node(0)?.Drain]).toEqual([0, 2, false]);
  });

  test("system jobs are to be ignored: they stay when the drain is complete (2 nodes)", async () => {
    const { cluster, drain, on, node, settle } = await led(2);
    await cluster.register(mockSystemJob({ ID: "logs" }));
    await cluster.register(sized(mockJob({ ID: "web" }), 2));
    await settle();
    await drain(0, { IgnoreSystemJobs: true });
    await settle();
    expect([on(0, "web").length, on(0, "logs").length, node(0)?.LastDrain?.Status]).toEqual([0, 1, "complete"]);
  });

  test("canceled: what has not left stays, and the node may be made eligible with it (2 nodes)", async () => {
    const { cluster, agents, drain, on, node, settle } = await led(1);
    await cluster.register(sized(mockJob({ ID: "web" }), 4));
    await settle();
    await cluster.nodes(1, 1);
    agents.keepsQuiet = true;
    await drain(0, {});
    await settle();
    const value = { NodeID: idOf(0), DrainSpec: undefined, MarkEligible: true, Meta: { why: "wrong one" } };
    expect((await cluster.write({ $case: "UpdateNodeDrain", value })).EvalIDs).toHaveLength(1);
    await settle();
    expect(on(0)).toHaveLength(3);
    expect(node(0)).toMatchObject({ Drain: false, SchedulingEligibility: "eligible" });
    expect(node(0)?.LastDrain).toMatchObject({ Status: "canceled", Meta: { why: "wrong one" } });
    expect(node(0)?.Events.at(-1)?.Message).toBe("Node drain disabled");
  });

  test("the leader changes in the middle, the next one carries on (2 servers, 2 nodes)", async () => {
    const { cluster, first, drain, on, node, settle } = await led(1);
    await cluster.register(sized(mockJob({ ID: "web" }), 6));
    await settle();
    await cluster.nodes(1, 1);
    await drain(0, {});
    cluster.server("b");
    await first.leadership.stop();
    await settle();
    await settle();
    expect([on(0).length, on(1).length, node(0)?.LastDrain?.Status]).toEqual([0, 6, "complete"]);
  });
});
