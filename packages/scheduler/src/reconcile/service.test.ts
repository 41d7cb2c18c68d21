// biome-ignore-all lint/suspicious/noTemplateCurlyInString: targets of constraints
import { SECOND } from "@steppe/model";
import { mockBatchJob, mockJob, mockNode } from "@steppe/model/internal";
import { type Constraint, Evaluation, type Job, type TaskGroup } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { World } from "../testing/world.ts";

function cluster(nodes: number): World {
  const world = new World();
  world.addNodes(...Array.from({ length: nodes }, (_, i) => mockNode({ Meta: { rack: `r${i % 2}` } }, i)));
  return world;
}

function sized(job: Job, count: number): Job {
  for (const group of job.TaskGroups) group.Count = count;
  return job;
}

const withEnv = (job: Job, value: string): Job => ({
  ...job,
  TaskGroups: job.TaskGroups.map((group) => ({
    ...group,
    Tasks: group.Tasks.map((task) => ({ ...task, Env: { FOO: value } })),
  })),
});

const resized = (job: Job, count: number): Job => ({
  ...job,
  TaskGroups: job.TaskGroups.map((group) => ({ ...group, Count: count })),
});

const inParallel = (job: Job, most: number): Job => {
  for (const group of job.TaskGroups) group.Update = { ...group.Update, MaxParallel: most } as never;
  return job;
};

const hosts = (value: string): Constraint => ({ LTarget: "", Operand: "distinct_hosts", RTarget: value });
const racks = (most: string): Constraint => ({
  ...{ LTarget: "${meta.rack}", Operand: "distinct_property", RTarget: most },
});

/** Two nodes, each a rack of its own, and two groups of so many; how many of each found a place. The group's constraints are the first one's. */
function placedOfTwoGroups(of: { job?: Constraint[]; group?: Constraint[] }, count = 2): number[] {
  const world = cluster(2);
  const job = sized(mockJob({ Constraints: of.job ?? [] }), count);
  const [group] = job.TaskGroups as [TaskGroup];
  job.TaskGroups = [
    { ...group, Name: "a", Constraints: of.group ?? [] },
    { ...group, Name: "b" },
  ];
  world.process(world.register(job));
  return ["a", "b"].map((name) => world.live(job).filter(({ TaskGroup }) => TaskGroup === name).length);
}

const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `web[${from + i}]`);

describe("service jobs", () => {
  it("a new job: placed under the lowest names, spread over the nodes", () => {
    const world = cluster(4);
    const job = sized(mockJob(), 4);
    const plan = world.process(world.register(job));
    expect(world.names(job)).toEqual(names(0, 4));
    expect(plan.Result).toMatchObject({ Status: "complete", QueuedAllocations: { web: 0 }, FailedTGAllocs: {} });
    expect(plan.Placements[0]?.Metrics).toMatchObject({
      NodesEvaluated: 4,
      NodesAvailable: { dc1: 4 },
      NodesInPool: 4,
    });
  });

  it("scaled up: the missing are placed, the others take the new version in place", () => {
    const world = cluster(4);
    const job = sized(mockJob(), 2);
    world.process(world.register(job));
    const plan = world.process(world.register(resized(job, 5)));
    expect(plan.InPlaceUpdates[0]?.AllocIDs).toHaveLength(2);
    expect(world.names(job)).toEqual(names(0, 5));
    expect(world.live(job).every(({ Job }) => Job.Version === 1)).toBe(true);
  });

  it("scaled down: the highest names stop", () => {
    const world = cluster(4);
    const job = sized(mockJob(), 5);
    world.process(world.register(job));
    const plan = world.process(world.register(resized(job, 2)));
    expect(plan.Stops[0]).toMatchObject({
      DesiredStatus: "stop",
      DesiredDescription: "alloc not needed due to job update",
    });
    expect(world.names(job)).toEqual(names(0, 2));
  });

  it("count 0: all stop", () => {
    const world = cluster(2);
    const job = sized(mockJob(), 3);
    world.process(world.register(job));
    world.process(world.register(resized(job, 0)));
    expect(world.live(job)).toEqual([]);
  });

  it("destructive update, MaxParallel 0: all replaced at once under their names", () => {
    const world = cluster(4);
    const job = inParallel(sized(mockJob(), 4), 0);
    world.process(world.register(job));
    const before = world.live(job);
    const plan = world.process(world.register(withEnv(job, "new")));
    expect(plan.Stops[0]?.DesiredDescription).toBe("alloc is being updated due to job update");
    expect(world.names(job)).toEqual(names(0, 4));
    expect(before.every(({ terminal, NextAllocation }) => terminal && NextAllocation !== "")).toBe(true);
    expect(plan.Result?.NextEval).toBe("");
  });

  it("destructive update on full nodes: uses the room of what it replaces", () => {
    const world = cluster(2);
    const job = inParallel(sized(mockJob(), 14), 0);
    world.process(world.register(job));
    expect(world.live(job)).toHaveLength(14);
    world.process(world.register(withEnv(job, "new")));
    expect(world.live(job).filter(({ Job }) => Job.Version === 1)).toHaveLength(14);
  });

  it("destructive update to what fits nowhere: what runs goes on", () => {
    const world = cluster(2);
    const job = inParallel(sized(mockJob(), 2), 0);
    world.process(world.register(job));
    const large = structuredClone(job);
    for (const task of large.TaskGroups.flatMap(({ Tasks }) => Tasks))
      Object.assign(task.Resources ?? {}, { CPU: 9_999 });
    const plan = world.process(world.register(large));
    expect(world.names(job)).toEqual(names(0, 2));
    expect(plan.Result?.QueuedAllocations).toEqual({ web: 2 });
    expect(plan.Result?.FailedTGAllocs.web).toMatchObject({
      NodesExhausted: 2,
      DimensionExhausted: { cpu: 2 },
      CoalescedFailures: 1,
    });
  });

  it("an in-place change that its node no longer suits: moved instead", () => {
    const world = cluster(2);
    const job = sized(mockJob(), 1);
    world.process(world.register(job));
    const rack = world.state.nodes.get(world.live(job)[0]?.NodeID ?? "")?.Meta.rack;
    const elsewhere = { LTarget: "${meta.rack}", Operand: "!=", RTarget: rack ?? "" };
    world.process(world.register({ ...job, Constraints: [...job.Constraints, elsewhere] }));
    expect(world.state.nodes.get(world.live(job)[0]?.NodeID ?? "")?.Meta.rack).not.toBe(rack);
  });

  it("no room: blocked, woken, and blocked again under the same ID", () => {
    const world = cluster(1);
    const job = sized(mockJob(), 20);
    const plan = world.process(world.register(job));
    const blocked = world.evaluation(plan.Result?.BlockedEval ?? "");
    expect(world.live(job)).toHaveLength(7);
    expect(plan.Result).toMatchObject({ Status: "complete", QueuedAllocations: { web: 13 } });
    expect(blocked).toMatchObject({
      ...{ Status: "blocked", TriggeredBy: "queued-allocs", PreviousEval: plan.EvalID },
      StatusDescription: "created to place remaining allocations",
    });
    world.addNodes(mockNode({}, 1));
    world.unblock();
    expect(world.live(job)).toHaveLength(14);
    expect(world.evaluation(blocked.ID)).toMatchObject({ Status: "blocked", QueuedAllocations: { web: 6 } });
    world.addNodes(mockNode({}, 2));
    world.unblock();
    expect(world.evaluation(blocked.ID).Status).toBe("complete");
    expect(world.names(job)).toHaveLength(20);
  });

  it("distinct_hosts: one a node, even across a rolling update", () => {
    const world = cluster(3);
    const constraint = { LTarget: "", Operand: "distinct_hosts", RTarget: "true" };
    const job = inParallel(sized(mockJob({ Constraints: [constraint] }), 4), 1);
    const plan = world.process(world.register(job));
    expect(new Set(world.live(job).map(({ NodeID }) => NodeID)).size).toBe(3);
    expect(plan.Result?.FailedTGAllocs.web?.ConstraintFiltered).toEqual({ distinct_hosts: 3 });
    world.process(world.register(withEnv(job, "new")));
    expect(new Set(world.live(job).map(({ NodeID }) => NodeID)).size).toBe(3);
  });

  it.each(["", "true", "yes", "1"])("distinct_hosts with %j: one of the job a node", (value) => {
    expect(placedOfTwoGroups({ job: [hosts(value)] })).toEqual([1, 1]);
  });

  it.each(["false", "False", "FALSE", "f", "F", "0"])("distinct_hosts with %j: as if it were not there", (value) => {
    expect(placedOfTwoGroups({ job: [hosts(value)] })).toEqual([2, 2]);
  });

  it("distinct_hosts of a group: binds its own allocations alone", () => {
    expect(placedOfTwoGroups({ group: [hosts("")] }, 3)).toEqual([2, 3]);
  });

  it("distinct_property of the job: counts all of its groups", () => {
    expect(placedOfTwoGroups({ job: [racks("1")] })).toEqual([1, 1]);
    expect(placedOfTwoGroups({ job: [racks("2")] })).toEqual([2, 2]);
  });

  it("distinct_property of a group: counts the group alone", () => {
    expect(placedOfTwoGroups({ group: [racks("1")] }, 3)).toEqual([2, 3]);
    expect(placedOfTwoGroups({ group: [racks("1")], job: [racks("2")] }, 3)).toEqual([2, 2]);
  });

  it("distinct_property of something that a node does not have: it takes none", () => {
    const world = cluster(2);
    const job = sized(mockJob({ Constraints: [{ ...racks("2"), LTarget: "${meta.zone}" }] }), 1);
    const plan = world.process(world.register(job));
    expect(plan.Result?.FailedTGAllocs.web?.ConstraintFiltered).toEqual({ "distinct_property: ${meta.zone}": 2 });
  });

  it.each([
    ["", 2],
    ["3", 6],
  ])("distinct_property with %j: so many a value", (most, expected) => {
    const world = cluster(6);
    const constraint = { LTarget: "${meta.rack}", Operand: "distinct_property", RTarget: most };
    const job = sized(mockJob({ Constraints: [constraint] }), 20);
    world.process(world.register(job));
    expect(world.live(job)).toHaveLength(expected);
  });

  it("an unknown trigger: the evaluation fails", () => {
    const world = cluster(1);
    const job = mockJob();
    const evaluation = world.register(job);
    const plan = world.plan({ ...evaluation, TriggeredBy: "boredom" });
    expect(plan.Result).toMatchObject({
      Status: "failed",
      StatusDescription: "scheduler cannot handle 'boredom' evaluation reason",
    });
  });

  it("a job that is gone: complete, nothing to do", () => {
    const world = cluster(1);
    const evaluation = Evaluation.create({
      ID: world.random.id(),
      Namespace: "default",
      JobID: "gone",
      Type: "service",
      TriggeredBy: "job-deregister",
    });
    expect(world.plan(evaluation)).toMatchObject({ JobCreateIndex: 0, Placements: [], Result: { Status: "complete" } });
  });
});

describe("batch jobs", () => {
  it("default policy: replaced once, then not again", () => {
    const world = cluster(3);
    const job = sized(mockBatchJob(), 1);
    world.process(world.register(job));
    for (let attempt = 0; attempt < 3; attempt++) {
      for (const allocation of world.live(job)) world.report(allocation, "failed");
      world.settle();
      world.now += 10 * SECOND;
      world.settle();
    }
    expect(world.allocations(job)).toHaveLength(2);
  });
});
