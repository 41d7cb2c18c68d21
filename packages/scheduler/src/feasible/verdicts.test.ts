// biome-ignore-all lint/suspicious/noTemplateCurlyInString: targets of constraints
import { mockJob, mockNode } from "@steppe/model/internal";
import type { Job, Node } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { World } from "../testing/world.ts";
import { matchesGlob } from "./datacenter.ts";

/** Why the one node of a cluster does not take the job; empty when it does. */
function reasons(job: Job, node: Node): Record<string, number> {
  const world = new World();
  world.addNodes(node);
  for (const group of job.TaskGroups) group.Count = 1;
  const { Result } = world.process(world.register(job));
  const failed = Object.values(Result?.FailedTGAllocs ?? {})[0];
  return failed === undefined ? {} : { ...failed.ConstraintFiltered, evaluated: failed.NodesEvaluated };
}

const withDrivers = (drivers: Node["Drivers"]) => mockNode({ Drivers: drivers });
const kernel = { LTarget: "${attr.kernel.name}", Operand: "=", RTarget: "plan9" };

describe("feasibility", () => {
  it.each([
    ["everything suits", mockJob(), mockNode(), {}],
    ["other datacenter", mockJob({ Datacenters: ["dc2"] }), mockNode(), { evaluated: 0 }],
    ["datacenter by glob", mockJob({ Datacenters: ["d*1"] }), mockNode(), {}],
    ["other pool", mockJob({ NodePool: "gpu" }), mockNode(), { evaluated: 0 }],
    ["any pool", mockJob({ NodePool: "all" }), mockNode({ NodePool: "gpu" }), {}],
    ["ineligible", mockJob(), mockNode({ SchedulingEligibility: "ineligible" }), { evaluated: 0 }],
    [
      "driver missing",
      mockJob(),
      mockNode({ Drivers: {}, Attributes: { "kernel.name": "linux" } }),
      { "missing drivers": 1, evaluated: 1 },
    ],
    ["driver known by attribute", mockJob(), mockNode({ Drivers: {} }), {}],
    ["driver ill", mockJob(), withDrivers({ exec: driver(true, false) }), { "missing drivers": 1, evaluated: 1 }],
    [
      "driver not detected",
      mockJob(),
      withDrivers({ exec: driver(false, true) }),
      { "missing drivers": 1, evaluated: 1 },
    ],
    [
      "constraint of the job",
      mockJob({ Constraints: [kernel] }),
      mockNode(),
      { "${attr.kernel.name} = plan9": 1, evaluated: 1 },
    ],
    [
      "constraint on a unique attribute",
      mockJob({ Constraints: [{ LTarget: "${node.unique.name}", Operand: "=", RTarget: "x" }] }),
      mockNode(),
      { "${node.unique.name} = x": 1, evaluated: 1 },
    ],
    [
      "constraint with an unknown operand",
      mockJob({ Constraints: [{ LTarget: "a", Operand: "~", RTarget: "a" }] }),
      mockNode(),
      { "a ~ a": 1, evaluated: 1 },
    ],
  ] as const)("%s", (_name, job, node, expected) => {
    expect(reasons(job, node)).toEqual(expected);
  });

  it.each(["group", "task"])("constraint of a %s: filters", (level) => {
    const job = mockJob();
    for (const group of job.TaskGroups) {
      if (level === "group") group.Constraints = [kernel];
      for (const task of group.Tasks) if (level === "task") task.Constraints = [kernel];
    }
    expect(reasons(job, mockNode())).toMatchObject({ "${attr.kernel.name} = plan9": 1 });
  });

  it("a node that changes: judged anew, cache or not", () => {
    const world = new World();
    const job = mockJob({ Constraints: [{ LTarget: "${meta.rack}", Operand: "=", RTarget: "r1" }] });
    world.addNodes(mockNode({ Meta: { rack: "r2" } }));
    world.process(world.register(job));
    expect(world.live(job)).toHaveLength(0);
    world.addNodes(mockNode({ Meta: { rack: "r1" } }));
    world.unblock();
    expect(world.live(job).length).toBeGreaterThan(0);
  });

  it("the class of a node that does not suit is named ineligible, and nothing escapes it", () => {
    const world = new World();
    world.addNodes(mockNode({}, 0), mockNode({ Meta: { rack: "r1" } }, 1));
    const job = mockJob({ Constraints: [{ LTarget: "${meta.rack}", Operand: "is_set", RTarget: "" }] });
    for (const group of job.TaskGroups) group.Count = 100;
    const plan = world.process(world.register(job));
    const blocked = world.evaluation(plan.Result?.BlockedEval ?? "");
    const classOf = (i: number) => world.state.nodes.get(mockNode({}, i).ID)?.ComputedClass ?? "";
    expect(blocked.ClassEligibility).toEqual({ [classOf(0)]: false, [classOf(1)]: true });
    expect(blocked.EscapedComputedClass).toBe(false);
  });
});

function driver(detected: boolean, healthy: boolean) {
  return { Detected: detected, Healthy: healthy, Attributes: {}, HealthDescription: "", UpdateTime: 0 };
}

describe("datacenter globs", () => {
  it.each([
    ["*", "", true],
    ["*", "dc1", true],
    ["dc1", "dc1", true],
    ["dc1", "dc12", false],
    ["dc*", "dc12", true],
    ["*-west", "us-west", true],
    ["a*a", "a", false],
    ["a*b*c", "aXbYc", true],
    ["a*bb*c", "abc", false],
    ["a**c", "ac", true],
  ])("%s on %s: %s", (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });
});
