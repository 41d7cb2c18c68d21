import { allocatedResources } from "@steppe/model";
import { mockJob, mockNode } from "@steppe/model/internal";
import type { Job, Plan } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { violations } from "../testing/invariants.ts";
import { World } from "../testing/world.ts";

/** Its node has 4 cores of 1,000 MHz, of which it keeps 100 MHz to itself. */
function withCores(id: string, count: number, cores: number, cpu = 0): Job {
  const job = mockJob({ ID: id, Name: id });
  for (const group of job.TaskGroups) {
    group.Count = count;
    for (const { Resources } of group.Tasks) Object.assign(Resources ?? {}, { CPU: cpu, Cores: cores, MemoryMB: 10 });
  }
  return job;
}

function world(...nodes: Parameters<typeof mockNode>[0][]): World {
  const made = new World();
  made.addNodes(...nodes.map((fields, i) => mockNode(fields, i)));
  return made;
}

const coresOf = (given: World, job: Job) => given.live(job).map(({ Claims }) => Claims?.Cores);
const exhausted = (plan: Plan) => plan.Result?.FailedTGAllocs.web?.DimensionExhausted;

describe("whole cores", () => {
  it("are given to one allocation each, and take of the CPU what they run at", () => {
    const given = world({});
    const job = withCores("pinned", 2, 1);
    given.process(given.register(job));
    expect(coresOf(given, job).flat().sort()).toEqual([0, 1]);
    expect(given.state.nodes.usedCpu[0]).toBe(2_000);
    expect(violations(given.state)).toEqual([]);
    const [first] = given.live(job);
    const [group] = job.TaskGroups;
    if (first === undefined || group === undefined) throw new Error("nothing was placed");
    const { Tasks } = allocatedResources(group, first.Claims, given.state.nodes.nodes[0]?.NodeResources);
    expect(Object.values(Tasks).map((it) => it.Cpu)).toEqual([{ CpuShares: 1_000, ReservedCores: [0] }]);
  });

  it("all cores taken: the rest waits, for cores", () => {
    const given = world({ ReservedResources: { Cpu: { CpuShares: 0, ReservedCpuCores: [3] } } });
    const job = withCores("pinned", 3, 2);
    const plan = given.process(given.register(job));
    expect(coresOf(given, job)).toEqual([[0, 1]]);
    expect(exhausted(plan)).toEqual({ cores: 1 });
  });

  it("free cores whose MHz others have: the rest waits, for CPU", () => {
    const given = world({});
    given.process(given.register(withCores("plain", 1, 0, 3_000)));
    const job = withCores("pinned", 1, 1);
    expect(exhausted(given.process(given.register(job)))).toEqual({ cpu: 1 });
  });

  it("what is stopped gives its cores back", () => {
    const given = world({});
    const job = withCores("pinned", 3, 1);
    given.process(given.register(job));
    given.process(given.deregister(job));
    expect(given.state.nodes.usedCpu[0]).toBe(0);
    const next = withCores("next", 3, 1);
    given.process(given.register(next));
    expect(coresOf(given, next).flat().sort()).toEqual([0, 1, 2]);
  });

  it("two workers give the same core away: the later row is refused", () => {
    const given = world({});
    const [a, b] = [withCores("a", 1, 1), withCores("b", 1, 1)];
    const evaluations = [given.register(a), given.register(b)];
    const plans = evaluations.map((it) => given.plan(it));
    const outcomes = plans.map((plan) => given.apply(plan));
    expect(outcomes.map(({ Placed, RejectedNodes }) => [Placed, RejectedNodes.length])).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(violations(given.state)).toEqual([]);
  });

  it("a plan with cores that the node lacks, or the same core twice, is refused", () => {
    const given = world({});
    const job = withCores("pinned", 1, 2);
    for (const Cores of [[0, 9], [1, 1], [0]]) {
      const plan = given.plan(given.register(job));
      for (const placements of plan.Placements) placements.Cores = Cores;
      expect(given.apply(plan).RejectedNodes).toHaveLength(1);
    }
  });

  it("a node registers anew with faster cores: what they take moves along, and goes with them", () => {
    const given = world({});
    const job = withCores("pinned", 1, 2);
    given.process(given.register(job));
    const faster = { CpuShares: 8_000, TotalCpuCores: 4, ReservableCpuCores: [0, 1, 2, 3] };
    const node = mockNode({}, 0);
    given.addNodes({ ...node, NodeResources: { ...(node.NodeResources as object), Cpu: faster } as never });
    expect(given.state.nodes.usedCpu[0]).toBe(4_000);
    given.process(given.deregister(job));
    expect(given.state.nodes.usedCpu[0]).toBe(0);
  });
});
