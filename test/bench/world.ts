// States for benchmarks, made through `apply` as in production.

import { mockJob, mockNode } from "@steppe/model/internal";
import { type DeepPartial, Entry, type Job, NetworkResource, type Node, type Plan } from "@steppe/proto";
import { createRandom } from "@steppe/runtime";
import { apply, State } from "@steppe/state";

const random = createRandom();

type Kind = NonNullable<Parameters<typeof Entry.create>[0]>;

/** A machine of the packing workload: 16,000 MHz, 32,768 MB, nothing reserved. */
export function machine(i: number, fields: DeepPartial<Node> = {}): Node {
  return mockNode(
    {
      ComputedClass: "",
      NodeResources: {
        Cpu: { CpuShares: 16_000 },
        Memory: { MemoryMB: 32_768 },
        Disk: { DiskMB: 10_000_000 },
        NodeNetworks: [{ Mode: "host", Device: "eth0", Addresses: [{ Alias: "default", Address: "192.168.0.100" }] }],
        Networks: [{ Mode: "host", Device: "eth0", CIDR: "192.168.0.100/32", IP: "192.168.0.100" }],
        MinDynamicPort: 20_000,
        MaxDynamicPort: 32_000,
      },
      ReservedResources: undefined,
      ...fields,
    },
    i,
  );
}

export function stateWith(nodes: readonly Node[]): State {
  const state = new State();
  run(
    state,
    nodes.map((node) => ({ Kind: { $case: "RegisterNode" as const, value: { Node: node } } })),
  );
  return state;
}

/** Registers a job; the id of its evaluation. */
export function register(state: State, job: Job): string {
  const [outcome] = run(state, [{ Kind: { $case: "RegisterJob", value: { Job: job } } }]);
  return outcome?.EvalID ?? "";
}

export function commit(state: State, plan: Plan): void {
  const entry = { ...Entry.create(), Time: 3e9 };
  const command = {
    RequestID: "",
    IDSeed: random.bytes(16),
    Fingerprint: "",
    Kind: { $case: "ApplyPlan" as const, value: plan },
  };
  const { outcomes } = apply(state, state.index + 1, { ...entry, Commands: [command] });
  const [outcome] = outcomes;
  if (outcome?.Refusal !== undefined || (outcome?.RejectedNodes.length ?? 0) > 0) throw new Error("plan refused");
}

/** A job of one group a given ask, in order: `[cpu, memory, count]`. */
export function jobOf(
  id: string,
  asks: readonly (readonly [number, number, number])[],
  fields: Partial<Job> = {},
): Job {
  const job = mockJob({ ID: id, Name: id, ...fields } as DeepPartial<Job>);
  const [template] = job.TaskGroups;
  if (template === undefined) throw new Error("the mock job has no group");
  job.TaskGroups = asks.map(([CPU, MemoryMB, Count], i) => {
    const group = structuredClone(template);
    group.Name = `g${i}`;
    group.Count = Count;
    for (const { Resources } of group.Tasks) Object.assign(Resources ?? {}, { CPU, MemoryMB });
    return group;
  });
  return job;
}

/** A group's network that asks for so many. */
export const dynamicPorts = (ports: number): NetworkResource =>
  NetworkResource.create({
    Mode: "host",
    DynamicPorts: Array.from({ length: ports }, (_, i) => ({ Label: `port${i}`, HostNetwork: "default" })),
  });

export function run(state: State, commands: NonNullable<Kind["Commands"]>) {
  const stamped = [...commands].map((command) => ({ ...command, IDSeed: random.bytes(16) }));
  return apply(state, state.index + 1, Entry.create({ Time: 2e9, Commands: stamped })).outcomes;
}
