import { mockBatchJob, mockJob, mockNode, mockSystemJob } from "@steppe/model/internal";
import { type Job, PreemptionConfig, SchedulerConfiguration } from "@steppe/proto";
import type { AllocationView } from "@steppe/state";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { violations } from "../testing/invariants.ts";
import { World } from "../testing/world.ts";
import { preemptionScore } from "./preemption-score.ts";

const RUNS = Number(process.env.STEPPE_PROPERTY_RUNS ?? 300);
const EVERY = { SystemSchedulerEnabled: true, SysBatchSchedulerEnabled: true } as const;
const ALL = { ...EVERY, BatchSchedulerEnabled: true, ServiceSchedulerEnabled: true };

function configure(world: World, config: PreemptionConfig): void {
  const Config = { ...SchedulerConfiguration.create(), PreemptionConfig: config };
  world.run({ $case: "SetSchedulerConfiguration", value: { Config, CheckIndex: false, ModifyIndex: 0 } });
}

function sized(job: Job, count: number, cpu: number, memory = 64): Job {
  for (const group of job.TaskGroups) {
    group.Count = count;
    for (const { Resources } of group.Tasks) Object.assign(Resources ?? {}, { CPU: cpu, MemoryMB: memory });
  }
  return job;
}

const low = (id: string, priority: number, count: number, cpu: number, memory = 64) =>
  sized(mockJob({ ID: id, Name: id, Priority: priority }), count, cpu, memory);

/** One node of 3,900 MHz. */
function crowded(...jobs: Job[]): World {
  const world = new World();
  world.addNodes(mockNode());
  for (const job of jobs) world.process(world.register(job));
  configure(world, ALL);
  return world;
}

const evicted = (world: World): AllocationView[] =>
  [...world.state.allocations.byId.values()].filter((it) => it.DesiredStatus === "evict");

describe("preemption", () => {
  it("no room: evicts one of lower priority, says so on both, and evaluates its job", () => {
    const world = crowded(low("small", 20, 3, 1_200));
    const urgent = sized(mockJob({ ID: "urgent", Priority: 70 }), 1, 1_200);
    world.process(world.register(urgent));
    const [winner] = world.live(urgent) as [AllocationView];
    const [victim, ...rest] = evicted(world);
    expect(rest).toEqual([]);
    expect(winner.PreemptedAllocations).toEqual([victim?.ID]);
    expect(victim).toMatchObject({
      PreemptedByAllocation: winner.ID,
      DesiredDescription: `Preempted by alloc ID ${winner.ID}`,
    });
    expect(world.due()).toMatchObject([{ TriggeredBy: "preemption", JobID: "small", Priority: 20, Status: "pending" }]);
    world.settle();
    expect([...world.state.evaluations.byId.values()].filter(({ Status }) => Status === "blocked")).toMatchObject([
      { JobID: "small" },
    ]);
  });

  it.each([
    ["service", () => mockJob({ ID: "urgent", Priority: 90 })],
    ["batch", () => mockBatchJob({ ID: "urgent", Priority: 90 })],
  ])("%s jobs: off unless configured", (_type, make) => {
    const world = crowded(low("small", 20, 3, 1_200));
    configure(world, { ...PreemptionConfig.create(), ...EVERY });
    const plan = world.process(world.register(sized(make(), 1, 1_200)));
    expect(plan.Result?.BlockedEval).not.toBe("");
    expect(evicted(world)).toEqual([]);
  });

  it("system jobs: on from the start", () => {
    const world = new World();
    world.addNodes(mockNode());
    world.process(world.register(low("small", 20, 3, 1_200)));
    world.process(world.register(mockSystemJob()));
    expect(evicted(world)).toHaveLength(1);
  });

  it("a priority less than ten lower: not touched", () => {
    const world = crowded(low("near", 61, 3, 1_200));
    world.process(world.register(sized(mockJob({ ID: "urgent", Priority: 70 }), 1, 1_200)));
    expect(evicted(world)).toEqual([]);
  });

  it("the lowest priority goes first, though a higher one comes closer", () => {
    const world = crowded(low("lowest", 10, 1, 2_000), low("higher", 30, 1, 1_500));
    world.process(world.register(sized(mockJob({ ID: "urgent", Priority: 70 }), 1, 1_600)));
    expect(evicted(world).map(({ JobID }) => JobID)).toEqual(["lowest"]);
  });

  it("of one priority the one that comes closest goes", () => {
    const world = crowded(low("large", 20, 1, 2_000), low("close", 20, 1, 1_000), low("tiny", 20, 1, 500));
    world.process(world.register(sized(mockJob({ ID: "urgent", Priority: 70 }), 1, 1_300)));
    expect(evicted(world).map(({ JobID }) => JobID)).toEqual(["close"]);
  });

  it("what turned out not to be needed stays", () => {
    const world = crowded(low("a", 10, 1, 600), low("b", 20, 1, 3_000));
    world.process(world.register(sized(mockJob({ ID: "urgent", Priority: 70 }), 1, 3_100)));
    expect(evicted(world).map(({ JobID }) => JobID)).toEqual(["b"]);
  });

  it("a group beyond its migrate.max_parallel is spared while others can give", () => {
    const world = crowded(low("web", 20, 2, 1_000), low("other", 20, 2, 900));
    world.process(world.register(sized(mockJob({ ID: "urgent", Priority: 70 }), 1, 1_800)));
    expect(
      evicted(world)
        .map(({ JobID }) => JobID)
        .sort(),
    ).toEqual(["other", "web"]);
  });

  it("another worker was faster and the victim is gone already: the row is refused, nothing is evicted", () => {
    const world = crowded(low("small", 20, 3, 1_200));
    const plan = world.plan(world.register(sized(mockJob({ ID: "urgent", Priority: 70 }), 1, 1_200)));
    world.process(world.register(sized(mockJob({ ID: "rival", Priority: 80 }), 1, 1_200)));
    const before = evicted(world).length;
    expect(world.apply(plan).RejectedNodes).toHaveLength(1);
    expect(evicted(world)).toHaveLength(before);
  });

  it("score: falls with the sum and the height of the priorities", () => {
    const of = (...priorities: number[]) =>
      preemptionScore(priorities.map((Priority) => ({ Job: { Priority } })) as never);
    expect(of(20)).toBeCloseTo(1 / (1 + Math.exp(0.0048 * (21 - 2048))), 12);
    expect(of(20, 40)).toBeCloseTo(1 / (1 + Math.exp(0.0048 * (40 + 60 / 40 - 2048))), 12);
    expect(of(20)).toBeGreaterThan(of(20, 20));
  });
});

const filler = fc.record({
  priority: fc.constantFrom(10, 20, 35, 45),
  cpu: fc.constantFrom(300, 700, 1_100, 2_000),
  memory: fc.constantFrom(500, 2_000, 4_000),
});

describe("preemption, any small cluster", () => {
  it("places where brute force says that evictions make room, and evicts no more and no higher than it takes", () => {
    fc.assert(
      fc.property(
        fc.array(filler, { maxLength: 7 }),
        fc.integer({ min: 1, max: 2 }),
        fc.record({ cpu: fc.constantFrom(500, 1_500, 3_900), memory: fc.constantFrom(100, 3_000, 7_900) }),
        (fillers, nodes, ask) => {
          const world = new World();
          world.addNodes(...Array.from({ length: nodes }, (_, i) => mockNode({}, i)));
          for (const [i, it] of fillers.entries()) {
            world.process(world.register(low(`f${i}`, it.priority, 1, it.cpu, it.memory)));
          }
          configure(world, ALL);
          const options = [...world.state.nodes.slotOf.keys()].map((id) => ({ id, sets: sufficing(world, id, ask) }));
          const urgent = sized(mockJob({ ID: "urgent", Priority: 50 }), 1, ask.cpu, ask.memory);
          world.process(world.register(urgent));
          const [winner] = world.live(urgent);
          expect(winner !== undefined).toBe(options.some(({ sets }) => sets.length > 0));
          expect(violations(world.state)).toEqual([]);
          if (winner === undefined) return;
          const sets = options.find(({ id }) => id === winner.NodeID)?.sets ?? [];
          const victims = evicted(world);
          expect(victims.every(({ Job }) => Job.Priority <= 40)).toBe(true);
          if (options.some((it) => it.sets.some((set) => set.length === 0))) expect(victims).toEqual([]);
          // No set within the victims would have done, and none whose highest priority is lower.
          expect(sets.filter((set) => set.length < victims.length && set.every((it) => victims.includes(it)))).toEqual(
            [],
          );
          const highest = (set: readonly AllocationView[]) => Math.max(0, ...set.map(({ Job }) => Job.Priority));
          expect(highest(victims)).toBe(Math.min(...sets.map(highest)));
        },
      ),
      { numRuns: RUNS },
    );
  });
});

/** Every set of evictable allocations on a node without which the ask fits. */
function sufficing(world: World, node: string, ask: { cpu: number; memory: number }): AllocationView[][] {
  const { nodes } = world.state;
  const slot = nodes.slot(node);
  const able = [...nodes.allocationsOf(node)].filter((it) => !it.terminal && it.Job.Priority <= 40);
  const sets = Array.from({ length: 2 ** able.length }, (_, bits) => able.filter((_, i) => bits & (1 << i)));
  return sets.filter((set) => {
    const freed = (of: (it: AllocationView) => number) => set.reduce((sum, it) => sum + of(it), 0);
    return (
      (nodes.usedCpu[slot] ?? 0) + ask.cpu - freed(({ Ask }) => Ask.cpu) <= (nodes.cpu[slot] ?? 0) &&
      (nodes.usedMemory[slot] ?? 0) + ask.memory - freed(({ Ask }) => Ask.memoryMb) <= (nodes.memory[slot] ?? 0)
    );
  });
}
