import { resolveTarget } from "@steppe/model";
import type { TaskGroup } from "@steppe/proto";
import type { AllocationView, JobView, StateView } from "@steppe/state";
import { operandOf } from "../feasible/operand.ts";

/** What must hold in every state; the violations found, in words. Written apart from the code it judges. */
export function violations(view: StateView): string[] {
  return [
    ...overCommitted(view),
    ...clashes(view),
    ...[...view.jobs.byKey.values()].flatMap((job) => doubledNames(view, job)),
  ];
}

function overCommitted({ nodes }: StateView): string[] {
  const found: string[] = [];
  for (const [id, slot] of nodes.slotOf) {
    const sum = { cpu: 0, memory: 0, disk: 0 };
    for (const { terminal, Ask } of nodes.allocations[slot] ?? []) {
      if (terminal) continue;
      const { CpuShares = 0, TotalCpuCores = 1 } = nodes.nodes[slot]?.NodeResources?.Cpu ?? {};
      sum.cpu += Ask.cpu + Ask.cores * Math.floor(CpuShares / TotalCpuCores);
      sum.memory += Ask.memoryMb;
      sum.disk += Ask.diskMb;
    }
    if (sum.cpu > (nodes.cpu[slot] ?? 0)) found.push(`node ${id} has ${sum.cpu} MHz of ${nodes.cpu[slot]} taken`);
    if (sum.memory > (nodes.memory[slot] ?? 0))
      found.push(`node ${id}: ${sum.memory} MB of ${nodes.memory[slot]} taken`);
    if (sum.disk > (nodes.disk[slot] ?? 0)) found.push(`node ${id}: ${sum.disk} MB of disk taken`);
  }
  return found;
}

/** Ports of one address, devices and cores of one node that two allocations have; claims that are not what was asked for. */
function clashes({ nodes }: StateView): string[] {
  const found: string[] = [];
  for (const [id, slot] of nodes.slotOf) {
    const seen = new Set<string>();
    for (const allocation of nodes.allocations[slot] ?? []) {
      if (allocation.terminal) continue;
      const { ports, devices, cores } = claimed(allocation);
      const asked = allocation.Job.TaskGroups.find(({ Name }) => Name === allocation.TaskGroup);
      if (ports.length !== portsAsked(asked)) found.push(`${allocation.Name} has ${ports.length} ports`);
      if (devices.length !== devicesAsked(asked)) found.push(`${allocation.Name} has ${devices.length} devices`);
      if (cores.length !== coresAsked(asked)) found.push(`${allocation.Name} has ${cores.length} cores`);
      for (const thing of [...ports, ...devices, ...cores]) {
        if (seen.has(thing)) found.push(`node ${id}: ${thing} is given twice`);
        seen.add(thing);
      }
    }
  }
  return found;
}

function claimed({ Claims }: AllocationView): { ports: string[]; devices: string[]; cores: string[] } {
  const ports = (Claims?.Ports ?? []).map((port, i) => `port ${Claims?.HostIPs[i]}:${port}`);
  const devices = (Claims?.Devices ?? []).flatMap(({ Name, DeviceIDs }) => DeviceIDs.map((it) => `${Name} ${it}`));
  return { ports, devices, cores: (Claims?.Cores ?? []).map((core) => `core ${core}`) };
}

const coresAsked = (group: TaskGroup | undefined): number =>
  (group?.Tasks ?? []).reduce((sum, it) => sum + (it.Resources?.Cores ?? 0), 0);

const portsAsked = (group: TaskGroup | undefined): number =>
  (group?.Networks ?? []).reduce((sum, it) => sum + it.ReservedPorts.length + it.DynamicPorts.length, 0);

const devicesAsked = (group: TaskGroup | undefined): number =>
  (group?.Tasks ?? []).flatMap((it) => it.Resources?.Devices ?? []).reduce((sum, { Count }) => sum + (Count ?? 1), 0);

/** A canary shares its name with what it is to replace, until that is stopped. */
function doubledNames(view: StateView, { job, allocations }: JobView): string[] {
  const latest = view.deployments.latest(job.Namespace, job.ID)?.deployment;
  const canaries = new Set(Object.values(latest?.TaskGroups ?? {}).flatMap(({ PlacedCanaries }) => PlacedCanaries));
  const seen = new Set<string>();
  const found: string[] = [];
  for (const allocation of allocations) {
    // One whose node is disconnected may have a replacement, which then has the name.
    if (!allocation.holdsName) continue;
    const isCanary = canaries.has(allocation.ID) || allocation.DeploymentStatus?.Canary === true;
    const own = isCanary ? `canary ${allocation.Name} of ${allocation.DeploymentID}` : allocation.Name;
    const name = job.Type === "system" ? `${allocation.Name} on ${allocation.NodeID}` : own;
    if (seen.has(name)) found.push(`${name} is there twice`);
    seen.add(name);
  }
  return found;
}

/** Constraints of its job that a freshly placed allocation breaks. */
export function brokenConstraints(view: StateView, allocation: AllocationView): string[] {
  const node = view.nodes.get(allocation.NodeID);
  if (node === undefined) return [`${allocation.Name} is on a node that is gone`];
  if (node.Status !== "ready" || node.SchedulingEligibility !== "eligible")
    return [`${allocation.Name} on an unusable node`];
  const siblings = [...(view.jobs.get(allocation.Namespace, allocation.JobID)?.allocations ?? [])].filter(
    (it) => !it.terminal,
  );
  return allocation.Job.Constraints.filter(({ LTarget, Operand, RTarget }) => {
    if (Operand === "distinct_hosts") return siblings.filter(({ NodeID }) => NodeID === allocation.NodeID).length > 1;
    const value = resolveTarget(LTarget, node);
    if (Operand === "distinct_property") {
      const alike = siblings.filter(({ NodeID }) => {
        const other = view.nodes.get(NodeID);
        return other !== undefined && resolveTarget(LTarget, other) === value;
      });
      return value === undefined || alike.length > Number(RTarget || 1);
    }
    return operandOf(Operand)?.(value, resolveTarget(RTarget, node)) !== true;
  }).map(({ LTarget, Operand, RTarget }) => `${allocation.Name} breaks ${LTarget} ${Operand} ${RTarget}`);
}
