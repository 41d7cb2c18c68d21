// Room is there, and what lacks is what others have to themselves: ports, devices, cores.
import { mockJob, mockNode, mockSystemJob } from "@steppe/model/internal";
import { type Job, NetworkResource, RequestedDevice, SchedulerConfiguration } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { violations } from "../testing/invariants.ts";
import { World } from "../testing/world.ts";

const ALL = {
  ...{ SystemSchedulerEnabled: true, SysBatchSchedulerEnabled: true },
  ...{ BatchSchedulerEnabled: true, ServiceSchedulerEnabled: true },
};

/** One node with four cores, two devices, two dynamic ports and much room. */
function world(): World {
  const made = new World();
  const gpus = { Type: "gpu", Name: "g", Instances: ["g0", "g1"].map((ID) => ({ ID, Healthy: true })) };
  const scarce = { MinDynamicPort: 20_000, MaxDynamicPort: 20_001, Devices: [gpus] };
  made.addNodes(mockNode({ NodeResources: { ...mockNode().NodeResources, ...scarce } }));
  const Config = { ...SchedulerConfiguration.create(), PreemptionConfig: ALL };
  made.run({ $case: "SetSchedulerConfiguration", value: { Config, CheckIndex: false, ModifyIndex: 0 } });
  return made;
}

interface Asks {
  readonly port?: number;
  readonly dynamic?: number;
  readonly gpus?: number;
  readonly cores?: number;
}

function job(ID: string, Priority: number, { port, dynamic = 0, gpus = 0, cores = 0 }: Asks, make = mockJob): Job {
  const made = make({ ID, Name: ID, Priority });
  for (const group of made.TaskGroups) {
    group.Count = 1;
    const ReservedPorts = port === undefined ? [] : [{ Label: "fixed", Value: port }];
    const DynamicPorts = Array.from({ length: dynamic }, (_, i) => ({ Label: `p${i}` }));
    group.Networks = [NetworkResource.create({ ReservedPorts, DynamicPorts })];
    for (const { Resources } of group.Tasks) {
      Object.assign(Resources ?? {}, { CPU: cores > 0 ? 0 : 50, Cores: cores, MemoryMB: 10 });
      if (gpus > 0) Resources?.Devices.push(RequestedDevice.create({ Name: "gpu", Count: gpus }));
    }
  }
  return made;
}

const place = (given: World, ...jobs: Job[]) => jobs.map((it) => given.process(given.register(it)));
const evicted = (given: World) =>
  [...given.state.allocations.byId.values()]
    .filter(({ DesiredStatus }) => DesiredStatus === "evict")
    .map(({ JobID }) => JobID)
    .sort();

describe("preemption for what is held alone", () => {
  it.each<[string, Asks, Asks, Asks]>([
    ["a static port", { port: 8080 }, { port: 9090 }, { port: 8080 }],
    ["a dynamic port", { dynamic: 1 }, { port: 8080 }, { dynamic: 2 }],
    ["a device", { gpus: 1 }, { port: 8080 }, { gpus: 2 }],
    ["whole cores", { cores: 2 }, { port: 8080 }, { cores: 3 }],
  ])("%s: whoever holds it goes, and nobody else", (_name, holds, other, wants) => {
    const given = world();
    place(given, job("holder", 20, holds), job("other", 20, other), job("plain", 10, {}));
    const urgent = job("urgent", 80, wants);
    place(given, urgent);
    expect(given.live(urgent)).toHaveLength(1);
    expect(evicted(given)).toEqual(["holder"]);
    expect(violations(given.state)).toEqual([]);
  });

  it("two hold a device each and one would do: the one of lower priority goes", () => {
    const given = world();
    place(given, job("higher", 40, { gpus: 1 }), job("lower", 30, { gpus: 1 }));
    place(given, job("urgent", 80, { gpus: 1 }));
    expect(evicted(given)).toEqual(["lower"]);
  });

  it("the holder's priority is too near: waits, and nobody is evicted", () => {
    const given = world();
    place(given, job("holder", 75, { port: 8080 }), job("plain", 10, {}));
    const [plan] = place(given, job("urgent", 80, { port: 8080 }));
    expect(evicted(given)).toEqual([]);
    expect(plan?.Result?.QueuedAllocations).toEqual({ web: 1 });
  });

  it("a port that the node keeps to itself: nobody is evicted for it", () => {
    const given = world();
    place(given, job("plain", 10, {}));
    place(given, job("urgent", 80, { port: 22 }));
    expect(evicted(given)).toEqual([]);
  });

  it("a system job takes the port on its node", () => {
    const given = world();
    place(given, job("holder", 20, { port: 8080 }));
    const system = job("system", 80, { port: 8080 }, mockSystemJob);
    place(given, system);
    expect(given.live(system)).toHaveLength(1);
    expect(evicted(given)).toEqual(["holder"]);
    expect(violations(given.state)).toEqual([]);
  });

  it("the row is refused: the victim keeps its port", () => {
    const given = world();
    place(given, job("holder", 20, { port: 8080 }));
    const urgent = given.plan(given.register(job("urgent", 80, { port: 8080 })));
    const rival = job("rival", 90, { port: 8080 });
    place(given, rival);
    expect(given.apply(urgent).RejectedNodes).toHaveLength(1);
    expect(given.live(rival)).toHaveLength(1);
    expect(violations(given.state)).toEqual([]);
  });

  it("a dry run counts what it would evict", () => {
    const given = world();
    place(given, job("holder", 20, { port: 8080 }));
    const evaluation = { ...given.register(job("urgent", 80, { port: 8080 })), AnnotatePlan: true };
    const plan = given.plan(evaluation);
    expect(plan.Result?.Annotations?.DesiredTGUpdates.web).toMatchObject({ Place: 1, Preemptions: 1 });
  });
});
