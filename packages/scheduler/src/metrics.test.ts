// biome-ignore-all lint/suspicious/noTemplateCurlyInString: targets of constraints
import { mockJob, mockNode } from "@steppe/model/internal";
import type { Job } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { binPackScore } from "./rank/bin-pack.ts";
import { schedule } from "./schedule.ts";
import { World } from "./testing/world.ts";

const id = (i: number) => mockNode({}, i).ID;

/** Nodes 0 and 1 suit, 2 is of another class and filtered, 3 is full, 4 is elsewhere, 5 is in another pool, 6 is down. */
function mixed(): World {
  const world = new World();
  world.addNodes(mockNode({ Meta: { rack: "r3" }, NodeClass: "small" }, 3));
  const filler = mockJob({ ID: "filler" });
  for (const group of filler.TaskGroups) group.Count = 7;
  world.process(world.register(filler));
  for (const i of [0, 1]) world.addNodes(mockNode({ Meta: { rack: "r1" } }, i));
  world.addNodes(mockNode({ Meta: { rack: "r2" }, NodeClass: "gpu" }, 2));
  world.addNodes(mockNode({ Datacenter: "dc9" }, 4), mockNode({ NodePool: "other" }, 5), mockNode({}, 6));
  world.setStatus(id(6), "down");
  return world;
}

function job(count: number, cpu = 500, fields: Partial<Job> = {}): Job {
  const made = mockJob({
    Constraints: [{ LTarget: "${meta.rack}", Operand: "!=", RTarget: "r2" }],
    ...fields,
  } as never);
  for (const group of made.TaskGroups) {
    group.Count = count;
    for (const { Resources } of group.Tasks) Object.assign(Resources ?? {}, { CPU: cpu });
  }
  return made;
}

const COUNTERS = {
  NodesEvaluated: 4,
  NodesFiltered: 1,
  NodesInPool: 5,
  NodePool: "default",
  NodesAvailable: { dc1: 4 },
  ClassFiltered: { gpu: 1 },
  ConstraintFiltered: { "${meta.rack} != r2": 1 },
};

describe("metrics", () => {
  it("of a placement: which nodes were looked at, filtered and full", () => {
    const world = mixed();
    const [placements] = world.process(world.register(job(1))).Placements;
    expect(placements?.Metrics).toMatchObject({
      ...COUNTERS,
      NodesExhausted: 1,
      ClassExhausted: { small: 1 },
      DimensionExhausted: { cpu: 1 },
      AllocationTime: 0,
      CoalescedFailures: 0,
    });
  });

  it("of a group that found no place: the same, for the state after what was placed", () => {
    const world = mixed();
    const plan = world.process(world.register(job(5, 3_000)));
    expect(plan.Placements[0]?.NameIndexes).toHaveLength(2);
    expect(plan.Result?.FailedTGAllocs.web).toMatchObject({
      ...COUNTERS,
      NodesExhausted: 3,
      ClassExhausted: { small: 1, "linux-medium-pci": 2 },
      DimensionExhausted: { cpu: 3 },
      CoalescedFailures: 2,
      ScoreMetaData: [],
    });
  });

  it("a distinct rule: its nodes count as filtered", () => {
    const world = mixed();
    const fields = { Constraints: [{ LTarget: "", Operand: "distinct_hosts", RTarget: "" }] };
    const plan = world.process(world.register(job(5, 500, fields)));
    expect(plan.Result?.FailedTGAllocs.web).toMatchObject({
      NodesEvaluated: 4,
      NodesFiltered: 3,
      ConstraintFiltered: { distinct_hosts: 3 },
      NodesExhausted: 1,
    });
  });

  it("the best nodes of a pass, best first, with what each scorer said", () => {
    const world = mixed();
    const Affinities = [{ LTarget: "${node.unique.id}", Operand: "=", RTarget: id(1), Weight: 50 }];
    const Spreads = [{ Attribute: "${meta.rack}", Weight: 50, SpreadTarget: [{ Value: "r1", Percent: 100 }] }];
    const [placements] = world.process(world.register(job(1, 500, { Affinities, Spreads }))).Placements;
    const binpack = binPackScore(1 - 500 / 3_900, 1 - 256 / 7_936);
    const none = { "job-anti-affinity": 0, "node-reschedule-penalty": 0, "allocation-spread": 0 };
    expect(placements?.Metrics?.ScoreMetaData).toEqual([
      { NodeID: id(1), Scores: { binpack, ...none, "node-affinity": 1 }, NormScore: (binpack + 1) / 2 },
      { NodeID: id(0), Scores: { binpack, ...none, "node-affinity": 0 }, NormScore: binpack / 2 },
    ]);
  });

  it("no more than five nodes", () => {
    const world = new World();
    world.addNodes(...Array.from({ length: 8 }, (_, i) => mockNode({}, i)));
    const [placements] = world.process(world.register(job(1))).Placements;
    expect(placements?.Metrics?.ScoreMetaData).toHaveLength(5);
  });

  it("with a stopwatch: how long it took", () => {
    const world = mixed();
    let ns = 0;
    const stopwatch = () => (ns += 1_000);
    const context = { now: world.now, random: world.random, stopwatch };
    const [placements] = schedule(world.state, world.register(job(1)), context).Placements;
    expect(placements?.Metrics?.AllocationTime).toBe(1_000);
  });
});
