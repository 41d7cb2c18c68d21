// What one allocation of a group takes from its node. Tasks that never run side by side share:
// the ask is the largest of the three phases before, during and after the main tasks.
import {
  AllocatedResources,
  AllocatedTaskResources,
  type Claims,
  NetworkResource,
  type NodeResources,
  type Port,
  type Resources,
  type Task,
  type TaskGroup,
} from "@steppe/proto";
import { claimAskOf, type GivenPort, givenPorts } from "./claims.ts";
import { coreSpeed } from "./cores.ts";

export interface GroupResources {
  /** MHz, without what whole cores bring: their speed is the node's. */
  readonly cpu: number;
  /** Whole cores. Never shared between phases: a core is bound to its task. */
  readonly cores: number;
  readonly memoryMb: number;
  /** Peak with oversubscription; at least memoryMb. Infinity when a task may take all there is. */
  readonly memoryMaxMb: number;
  readonly diskMb: number;
}

interface Ask {
  cpu: number;
  memoryMb: number;
  memoryMaxMb: number;
}

export function groupResources(group: TaskGroup): GroupResources {
  const before = nothing();
  const during = nothing();
  const after = nothing();
  let cores = 0;
  for (const task of group.Tasks) {
    cores += task.Resources?.Cores ?? 0;
    for (const phase of phasesOf(task, { before, during, after })) add(phase, task.Resources);
  }
  const largest = (key: keyof Ask): number => Math.max(before[key], during[key], after[key]);
  return {
    cpu: largest("cpu"),
    cores,
    memoryMb: largest("memoryMb"),
    memoryMaxMb: largest("memoryMaxMb"),
    diskMb: group.EphemeralDisk?.SizeMB ?? 0,
  };
}

const nothing = (): Ask => ({ cpu: 0, memoryMb: 0, memoryMaxMb: 0 });

/** A prestart sidecar runs on beside the main tasks; poststart tasks start when those run. */
function phasesOf(task: Task, phases: { before: Ask; during: Ask; after: Ask }): Ask[] {
  switch (task.Lifecycle?.Hook) {
    case "prestart":
      return task.Lifecycle.Sidecar ? [phases.before, phases.during] : [phases.before];
    case "poststop":
      return [phases.after];
    default:
      return [phases.during];
  }
}

function add(ask: Ask, resources: Resources | undefined): void {
  const memoryMb = resources?.MemoryMB ?? 0;
  const memoryMaxMb = resources?.MemoryMaxMB ?? 0;
  ask.cpu += resources?.CPU ?? 0;
  ask.memoryMb += memoryMb;
  ask.memoryMaxMb += memoryMaxMb === -1 ? Number.POSITIVE_INFINITY : Math.max(memoryMb, memoryMaxMb);
}

/** The API's account of what an allocation got. The node's resources tell addresses; they may have changed since. */
export function allocatedResources(group: TaskGroup, claims?: Claims, node?: NodeResources): AllocatedResources {
  const result = AllocatedResources.create({ Shared: { DiskMB: group.EphemeralDisk?.SizeMB ?? 0 } });
  for (const task of group.Tasks) {
    result.Tasks[task.Name] = AllocatedTaskResources.create({
      Cpu: { CpuShares: task.Resources?.CPU ?? 0 },
      Memory: { MemoryMB: task.Resources?.MemoryMB ?? 0, MemoryMaxMB: task.Resources?.MemoryMaxMB ?? 0 },
    });
    result.TaskLifecycles[task.Name] = { Hook: task.Lifecycle?.Hook ?? "", Sidecar: task.Lifecycle?.Sidecar ?? false };
  }
  addNetworks(result, group, claims, node);
  addCores(result, group, claims, node);
  claimAskOf(group).devices.forEach(({ task }, i) => {
    const device = claims?.Devices[i];
    if (device !== undefined) result.Tasks[task]?.Devices.push(device);
  });
  return result;
}

/** Whole cores bring their share of the machine's speed. */
function addCores(
  { Tasks }: AllocatedResources,
  group: TaskGroup,
  claims: Claims | undefined,
  node: NodeResources | undefined,
): void {
  let from = 0;
  for (const { task, count } of claimAskOf(group).cores) {
    const ReservedCores = (claims?.Cores ?? []).slice(from, from + count);
    from += count;
    const found = Tasks[task];
    if (found !== undefined) found.Cpu = { CpuShares: coreSpeed(node) * ReservedCores.length, ReservedCores };
  }
}

function addNetworks(
  result: AllocatedResources,
  group: TaskGroup,
  claims: Claims | undefined,
  node: NodeResources | undefined,
): void {
  const ports = givenPorts(group, claims);
  const [network] = group.Networks;
  if (network !== undefined && result.Shared !== undefined) {
    const own = ports.filter(({ task }) => task === "");
    result.Shared.Networks = [{ ...given(network, own), IP: mainAddress(node) || (own[0]?.hostIp ?? "") }];
    result.Shared.Ports = own.map(({ label, value, to, hostIp, shared }) => {
      return { Label: label, Value: value, To: to, HostIP: hostIp, IgnoreCollision: shared };
    });
  }
  for (const task of group.Tasks) {
    const asked = task.Resources?.Networks[0];
    if (asked === undefined) continue;
    const own = ports.filter((port) => port.task === task.Name);
    const IP = own[0]?.hostIp ?? "";
    const Device = node?.Networks.find((it) => it.IP === IP)?.Device ?? "";
    result.Tasks[task.Name]?.Networks.push({ ...given(asked, own), IP, Device });
  }
}

/** A network as it was asked for, with the ports that it got. */
function given(asked: NetworkResource, ports: readonly GivenPort[]): NetworkResource {
  const fill = (port: Port, i: number): Port => {
    const { value, to } = ports[i] ?? { value: port.Value, to: port.To };
    return { ...port, Value: value, To: to };
  };
  return {
    ...NetworkResource.create(asked),
    ReservedPorts: asked.ReservedPorts.map((port, i) => fill(port, i)),
    DynamicPorts: asked.DynamicPorts.map((port, i) => fill(port, asked.ReservedPorts.length + i)),
  };
}

/** Of the node's first host network. */
function mainAddress(node: NodeResources | undefined): string {
  const host = node?.NodeNetworks.find(({ Mode }) => Mode === "host");
  return host?.Addresses[0]?.Address ?? "";
}
