// biome-ignore-all lint/suspicious/noTemplateCurlyInString: targets of constraints
import { mockJob, mockNode } from "@steppe/model/internal";
import { type DeepPartial, type Job, NetworkResource, type Node, type VolumeRequest } from "@steppe/proto";
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

/** A job whose group has this network and these volumes. */
function needing(
  network: DeepPartial<NetworkResource> | undefined,
  volumes: Record<string, DeepPartial<VolumeRequest>> = {},
) {
  const Tasks = [{ Name: "web", Driver: "exec" }];
  const group = { Name: "web", Tasks, Volumes: volumes, Networks: network === undefined ? [] : [network] };
  return mockJob({ TaskGroups: [group] });
}

const onNetwork = (HostNetwork: string, fields: DeepPartial<NetworkResource> = {}) =>
  needing({ ...fields, DynamicPorts: [{ Label: "http", HostNetwork }] });
const data = (fields: DeepPartial<VolumeRequest> = {}) =>
  needing(undefined, { data: { Type: "host", Source: "data", ...fields } });
const withVolumes = (...volumes: [name: string, readOnly: boolean][]) =>
  mockNode({ HostVolumes: Object.fromEntries(volumes.map(([Name, ReadOnly]) => [Name, { Name, ReadOnly }])) });
const bridged = mockNode();
bridged.NodeResources?.Networks.push(NetworkResource.create({ Mode: "bridge" }));

describe("networks and volumes", () => {
  const noVolume = { "missing compatible host volumes": 1, evaluated: 1 };
  it.each([
    ["network of the host", needing({ Mode: "host" }), mockNode(), {}],
    ["no mode: the host's", needing({}), mockNode(), {}],
    ["bridge, missing", needing({ Mode: "bridge" }), mockNode(), { "missing network": 1, evaluated: 1 }],
    ["bridge, there", needing({ Mode: "bridge" }), bridged, {}],
    ["cni, missing", needing({ Mode: "cni/mynet" }), bridged, { "missing network": 1, evaluated: 1 }],
    ["none", needing({ Mode: "none" }), mockNode({ NodeResources: {} as never }), { evaluated: 1 }],
    ["host network, there", onNetwork("default"), mockNode(), {}],
    [
      "host network, missing",
      onNetwork("public"),
      mockNode(),
      { 'missing host network "public" for port "http"': 1, evaluated: 1 },
    ],
    ["host network by attribute", onNetwork("${meta.net}"), mockNode({ Meta: { net: "default" } }), {}],
    [
      "host network by an attribute that is missing",
      onNetwork("${meta.net}"),
      mockNode(),
      { 'invalid host network "${meta.net}" template for port "http"': 1, evaluated: 1 },
    ],
    ["host volume, there", data(), withVolumes(["data", false]), {}],
    ["host volume, missing", data(), mockNode(), noVolume],
    ["host volume, read-only", data(), withVolumes(["data", true]), noVolume],
    ["host volume, read-only and only read", data({ ReadOnly: true }), withVolumes(["data", true]), {}],
    ["one volume an allocation, of another", data({ PerAlloc: true }), withVolumes(["data[1]", false]), noVolume],
    ["one volume an allocation", data({ PerAlloc: true }), withVolumes(["data[0]", false]), {}],
    [
      "CSI volume",
      needing(undefined, { data: { Type: "csi", Source: "data" } }),
      withVolumes(["data", false]),
      { "CSI volumes are not supported by this version": 1, evaluated: 1 },
    ],
  ] as const)("%s", (_name, job, node, expected) => {
    expect(reasons(job, node)).toEqual(expected);
  });

  it("volumes of one allocation each: every allocation where its own is", () => {
    const world = new World();
    const volumes = (...names: string[]) => Object.fromEntries(names.map((Name) => [Name, { Name }]));
    world.addNodes(
      mockNode({ HostVolumes: volumes("data[2]") }, 0),
      mockNode({ HostVolumes: volumes("data[0]", "data[3]") }, 1),
    );
    const job = data({ PerAlloc: true });
    for (const group of job.TaskGroups) group.Count = 4;
    const { Result } = world.process(world.register(job));
    const places = world.live(job).map(({ NameIndex, NodeID }) => [NameIndex, world.state.nodes.get(NodeID)?.Name]);
    expect(places.sort()).toEqual([
      [0, "node-1"],
      [2, "node-0"],
      [3, "node-1"],
    ]);
    expect(Result?.QueuedAllocations).toEqual({ web: 1 });
  });
});

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
