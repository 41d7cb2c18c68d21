// biome-ignore-all lint/suspicious/noTemplateCurlyInString: targets of constraints
import { mockJob, mockNode, mockSystemJob } from "@steppe/model/internal";
import type { DeepPartial, Job, NetworkResource, Node, RequestedDevice, TaskGroup } from "@steppe/proto";
import type { AllocationView } from "@steppe/state";
import { describe, expect, it } from "vitest";
import { World } from "../testing/world.ts";

type Resources = NonNullable<Node["NodeResources"]>;
type Request = DeepPartial<RequestedDevice>;

/** A group `web` of so many small allocations. */
function job(count: number, group: DeepPartial<TaskGroup>, id = "web"): Job {
  const tasks = [{ Name: "web", Driver: "exec", Resources: { CPU: 20, MemoryMB: 32 } }];
  const made = { Name: "web", Count: count, EphemeralDisk: { SizeMB: 10 }, Tasks: tasks, ...group };
  return mockJob({ ID: id, Name: id, TaskGroups: [made] });
}

const withNetwork = (count: number, network: DeepPartial<NetworkResource>, id?: string): Job =>
  job(count, { Networks: [network] }, id);

function asking(count: number, ...devices: Request[]): Job {
  const Resources = { CPU: 20, MemoryMB: 32, Devices: devices };
  return job(count, { Tasks: [{ Name: "web", Driver: "exec", Resources }] });
}

function node(resources: DeepPartial<Resources>, i = 0, fields: DeepPartial<Node> = {}): Node {
  return mockNode({ ...fields, NodeResources: { ...mockNode().NodeResources, ...resources } }, i);
}

const few = { MinDynamicPort: 20_000, MaxDynamicPort: 20_003 };

function place(spec: Job, ...nodes: Node[]) {
  const world = new World();
  world.addNodes(...nodes);
  const { Result } = world.process(world.register(spec));
  return { world, live: world.live(spec), failed: Result?.FailedTGAllocs.web };
}

const portsOf = (live: readonly AllocationView[]) => live.flatMap(({ Claims }) => Claims?.Ports ?? []).sort();
const devicesOf = (live: readonly AllocationView[]) =>
  live.flatMap(({ Claims }) => (Claims?.Devices ?? []).flatMap(({ DeviceIDs }) => DeviceIDs)).sort();

describe("ports", () => {
  it("dynamic: each a different one of the node's range, until there are none", () => {
    const { live, failed } = place(withNetwork(6, { DynamicPorts: [{ Label: "http" }] }), node(few));
    expect(portsOf(live)).toEqual([20_000, 20_001, 20_002, 20_003]);
    expect(failed?.DimensionExhausted).toEqual({ "network: dynamic port selection failed": 1 });
  });

  it("dynamic: what the node reserves, in all or on the host network, is not given out", () => {
    const reserving = node(
      {
        ...few,
        NodeNetworks: [
          { Mode: "host", Addresses: [{ Alias: "default", Address: "10.0.0.1", ReservedPorts: "20003" }] },
        ],
      },
      0,
      { ReservedResources: { Networks: { ReservedHostPorts: "22,20000-20001" } } },
    );
    const { live } = place(withNetwork(2, { DynamicPorts: [{ Label: "http" }] }), reserving);
    expect(portsOf(live)).toEqual([20_002]);
    expect(live[0]?.Claims?.HostIPs).toEqual(["10.0.0.1"]);
  });

  it("static: one allocation a node", () => {
    const { live, failed } = place(
      withNetwork(3, { ReservedPorts: [{ Label: "http", Value: 80 }] }),
      node({}),
      node({}, 1),
    );
    expect(new Set(live.map(({ NodeID }) => NodeID)).size).toBe(2);
    expect(failed?.DimensionExhausted).toEqual({ "network: reserved port collision http=80": 2 });
  });

  it("static, collisions ignored: several on one node", () => {
    const port = { Label: "http", Value: 80, IgnoreCollision: true };
    const { world, live } = place(withNetwork(3, { ReservedPorts: [port] }), node({}));
    expect(portsOf(live)).toEqual([80, 80, 80]);
    world.report(live[0] as AllocationView, "failed");
    const other = withNetwork(1, { ReservedPorts: [{ Label: "http", Value: 80 }] }, "other");
    expect(world.process(world.register(other)).Result?.FailedTGAllocs.web).toBeDefined();
  });

  it("static: a reserved port of the node is in use", () => {
    const { failed } = place(withNetwork(1, { ReservedPorts: [{ Label: "ssh", Value: 22 }] }), node({}));
    expect(failed?.DimensionExhausted).toEqual({ "network: reserved port collision ssh=22": 1 });
  });

  it("the same port on two addresses; not on one under two names", () => {
    const addresses = (second: string) => [
      {
        Mode: "host",
        Addresses: [
          { Alias: "default", Address: "10.0.0.1" },
          { Alias: "public", Address: second },
        ],
      },
    ];
    const both = {
      ReservedPorts: [
        { Label: "a", Value: 80 },
        { Label: "b", Value: 80, HostNetwork: "public" },
      ],
    };
    expect(place(withNetwork(1, both), node({ NodeNetworks: addresses("10.0.0.2") })).live).toHaveLength(1);
    expect(place(withNetwork(1, both), node({ NodeNetworks: addresses("10.0.0.1") })).live).toHaveLength(0);
  });

  it("a port is free again when its allocation has ended", () => {
    const spec = withNetwork(1, { ReservedPorts: [{ Label: "http", Value: 80 }] });
    const { world } = place(spec, node({}));
    const other = withNetwork(1, { ReservedPorts: [{ Label: "http", Value: 80 }] }, "other");
    const waiting = world.process(world.register(other)).Result?.BlockedEval ?? "";
    expect(world.live(other)).toHaveLength(0);
    world.process(world.deregister(spec));
    world.process(world.evaluation(waiting));
    expect(world.live(other)).toHaveLength(1);
  });

  it("an update that keeps a static port takes it over on the same node", () => {
    const spec = withNetwork(1, { ReservedPorts: [{ Label: "http", Value: 80 }] });
    const { world } = place(spec, node({}));
    const next = withNetwork(1, { ReservedPorts: [{ Label: "http", Value: 80 }] });
    for (const task of next.TaskGroups[0]?.Tasks ?? []) task.Env = { V: "2" };
    world.process(world.register(next));
    expect(world.live(next).map((it) => it.Job.Version)).toEqual([1]);
  });

  it("networks of tasks, the older form: on the node's main address, beside the group's", () => {
    const task = {
      CPU: 20,
      MemoryMB: 32,
      Networks: [{ ReservedPorts: [{ Label: "db", Value: 5432 }], DynamicPorts: [{ Label: "x" }] }],
    };
    const group = {
      Networks: [{ DynamicPorts: [{ Label: "http" }] }],
      Tasks: [{ Name: "web", Driver: "exec", Resources: task }],
    };
    const { live } = place(job(1, group), node(few));
    const [http, db, x] = live[0]?.Claims?.Ports ?? [];
    expect(db).toBe(5432);
    expect(new Set([http, x]).size).toBe(2);
    expect(live[0]?.Claims?.HostIPs).toEqual(["192.168.0.100", "192.168.0.100", "192.168.0.100"]);
  });

  it("system jobs: on each node where the port is free", () => {
    const spec = mockSystemJob();
    for (const group of spec.TaskGroups)
      group.Networks = withNetwork(1, { ReservedPorts: [{ Label: "ssh", Value: 23 }] }).TaskGroups[0]?.Networks ?? [];
    const blocked = node({}, 1, { ReservedResources: { Networks: { ReservedHostPorts: "23" } } });
    const { live, failed } = place(spec, node({}), blocked);
    expect(live.map(({ NodeID }) => NodeID)).toEqual([node({}).ID]);
    expect(failed?.DimensionExhausted).toEqual({ "network: reserved port collision ssh=23": 1 });
  });

  it("a plan whose port was taken meanwhile: its row is refused", () => {
    const world = new World();
    world.addNodes(node({}));
    const network = { ReservedPorts: [{ Label: "http", Value: 80 }] };
    const plans = ["a", "b"].map((id) => world.plan(world.register(withNetwork(1, network, id))));
    const outcomes = plans.map((plan) => world.apply(plan));
    expect(outcomes.map(({ Placed }) => Placed)).toEqual([1, 0]);
    expect(outcomes[1]?.RejectedNodes).toEqual([node({}).ID]);
  });

  it.each<[string, number[]]>([
    ["none", []],
    ["outside of the range", [19_999]],
    ["reserved by the node", [20_001]],
  ])("a plan with a dynamic port that the node may not give (%s): its row is refused", (_, ports) => {
    const world = new World();
    world.addNodes(node(few, 0, { ReservedResources: { Networks: { ReservedHostPorts: "20001" } } }));
    const plan = world.plan(world.register(withNetwork(1, { DynamicPorts: [{ Label: "http" }] })));
    for (const placements of plan.Placements) placements.DynamicPorts = ports;
    expect(world.apply(plan).Placed).toBe(0);
  });
});

const gpu = (instances: number, fields: DeepPartial<Resources["Devices"][number]> = {}, healthy = true) => ({
  Vendor: "nvidia",
  Type: "gpu",
  Name: "a100",
  Instances: Array.from({ length: instances }, (_, i) => ({ ID: `${fields.Name ?? "a100"}-${i}`, Healthy: healthy })),
  ...fields,
});

describe("devices", () => {
  it.each<[string, number]>([
    ["gpu", 1],
    ["nvidia/gpu", 1],
    ["nvidia/gpu/a100", 1],
    ["nvidia/gpu/h100", 0],
    ["amd/gpu", 0],
    ["nvidia", 0],
  ])("request for %s: %i placed", (Name, placed) => {
    expect(place(asking(1, { Name, Count: 1 }), node({ Devices: [gpu(1)] })).live).toHaveLength(placed);
  });

  it("each instance once, until there are none", () => {
    const { live, failed } = place(asking(3, { Name: "gpu", Count: 2 }), node({ Devices: [gpu(5)] }));
    expect(devicesOf(live)).toEqual(["a100-0", "a100-1", "a100-2", "a100-3"]);
    expect(failed?.DimensionExhausted).toEqual({ "devices: no devices match request": 1 });
  });

  it("unhealthy instances are not given out", () => {
    const { failed } = place(asking(1, { Name: "gpu", Count: 1 }), node({ Devices: [gpu(2, {}, false)] }));
    expect(failed?.ConstraintFiltered).toEqual({ "missing devices": 1 });
  });

  it("one request is met from one kind of device", () => {
    const kinds = [gpu(1), gpu(1, { Name: "h100" })];
    expect(place(asking(1, { Name: "gpu", Count: 2 }), node({ Devices: kinds })).live).toHaveLength(0);
    expect(
      place(asking(1, { Name: "gpu", Count: 1 }, { Name: "gpu", Count: 1 }), node({ Devices: kinds })).live,
    ).toHaveLength(1);
  });

  it.each<[string, string, string, string[]]>([
    ["${device.attr.memory}", ">=", "40 GiB", ["h100-0"]],
    ["${device.model}", "=", "a100", ["a100-0"]],
    ["${device.vendor}", "!=", "nvidia", []],
    ["${device.ids}", "set_contains", "a100-1", ["a100-1"]],
  ])("constraint %s %s %s: %j", (LTarget, Operand, RTarget, expected) => {
    const devices = [
      gpu(2, { Attributes: { memory: { Int: 32, Unit: "GiB" } } }),
      gpu(1, { Name: "h100", Attributes: { memory: { Int: 80, Unit: "GiB" } } }),
    ];
    const spec = asking(1, { Name: "gpu", Count: 1, Constraints: [{ LTarget, Operand, RTarget }] });
    expect(devicesOf(place(spec, node({ Devices: devices })).live)).toEqual(expected);
  });

  it("affinities choose the kind on a node, and the node", () => {
    const request = (Weight: number) =>
      asking(1, {
        Name: "gpu",
        Count: 1,
        Affinities: [{ LTarget: "${device.model}", Operand: "=", RTarget: "h100", Weight }],
      });
    const both = node({ Devices: [gpu(1), gpu(1, { Name: "h100" })] });
    expect(devicesOf(place(request(50), both).live)).toEqual(["h100-0"]);
    expect(devicesOf(place(request(-50), both).live)).toEqual(["a100-0"]);
    const apart = [node({ Devices: [gpu(1)] }), node({ Devices: [gpu(1, { Name: "h100" })] }, 1)];
    expect(devicesOf(place(request(50), ...apart).live)).toEqual(["h100-0"]);
    expect(devicesOf(place(request(-50), ...apart).live)).toEqual(["a100-0"]);
  });

  it("a plan whose device was taken meanwhile: its row is refused", () => {
    const world = new World();
    world.addNodes(node({ Devices: [gpu(1)] }));
    const plans = ["a", "b"].map((id) =>
      world.plan(world.register({ ...asking(1, { Name: "gpu", Count: 1 }), ID: id })),
    );
    expect(plans.map((plan) => world.apply(plan).Placed)).toEqual([1, 0]);
  });
});
