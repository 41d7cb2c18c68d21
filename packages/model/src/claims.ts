// What an allocation needs on its node for itself alone: ports, devices and whole cores. A group says what it
// asks for; claims say what one of its allocations was given.
import type {
  Claims,
  NetworkResource,
  NodeDeviceResource,
  Port,
  RequestedDevice,
  Task,
  TaskGroup,
} from "@steppe/proto";

/** One port of a group. Claims list their ports in the order of the asks. */
export interface PortAsk {
  readonly label: string;
  /** 0 = any of the node's dynamic ports. */
  readonly value: number;
  /** Name of the host network, which may hold a reference such as `${attr.…}`. Means nothing at a task's own network. */
  readonly hostNetwork: string;
  /** Of a network in the older form, at the task; empty = of the group's network. */
  readonly task: string;
  /** A static port that is held beside others. */
  readonly shared: boolean;
}

export interface DeviceAsk {
  readonly task: string;
  readonly request: RequestedDevice;
  readonly count: number;
}

/** Whole cores of one task. */
export interface CoreAsk {
  readonly task: string;
  readonly count: number;
}

export interface ClaimAsk {
  readonly ports: readonly PortAsk[];
  /** How many of the ports are dynamic. */
  readonly dynamicPorts: number;
  readonly devices: readonly DeviceAsk[];
  readonly cores: readonly CoreAsk[];
  /** Of all tasks. */
  readonly coreCount: number;
  /** An allocation of the group has nothing to itself. */
  readonly isEmpty: boolean;
}

const asks = new WeakMap<TaskGroup, ClaimAsk>();

/** What most groups ask for. */
const NOTHING: ClaimAsk = { ports: [], dynamicPorts: 0, devices: [], cores: [], coreCount: 0, isEmpty: true };

/** Computed once a job version, unless it is nothing: groups are not changed in place. */
export function claimAskOf(group: TaskGroup): ClaimAsk {
  if (asksNothing(group)) return NOTHING;
  let ask = asks.get(group);
  if (ask === undefined) {
    ask = describe(group);
    asks.set(group, ask);
  }
  return ask;
}

function asksNothing({ Networks, Tasks }: TaskGroup): boolean {
  if (Networks.length > 0) return false;
  for (const { Resources } of Tasks) {
    if (Resources === undefined) continue;
    if (Resources.Networks.length > 0 || Resources.Devices.length > 0 || (Resources.Cores ?? 0) > 0) return false;
  }
  return true;
}

function describe(group: TaskGroup): ClaimAsk {
  const [network] = group.Networks;
  const ports = [...(network === undefined ? [] : portsOf(network, "")), ...group.Tasks.flatMap(taskPorts)];
  const devices = group.Tasks.flatMap((task) =>
    (task.Resources?.Devices ?? []).map((request) => ({ task: task.Name, request, count: request.Count ?? 1 })),
  );
  const dynamicPorts = ports.filter(({ value }) => value === 0).length;
  const cores = group.Tasks.map((task) => ({ task: task.Name, count: task.Resources?.Cores ?? 0 })).filter(
    ({ count }) => count > 0,
  );
  const coreCount = cores.reduce((sum, { count }) => sum + count, 0);
  const isEmpty = ports.length === 0 && devices.length === 0 && coreCount === 0;
  return { ports, dynamicPorts, devices, cores, coreCount, isEmpty };
}

function taskPorts(task: Task): PortAsk[] {
  const network = task.Resources?.Networks[0];
  return network === undefined ? [] : portsOf(network, task.Name);
}

function portsOf(network: NetworkResource, task: string): PortAsk[] {
  const ask = ({ Label, HostNetwork, IgnoreCollision }: Port, value: number): PortAsk => ({
    label: Label,
    value,
    hostNetwork: HostNetwork || "default",
    task,
    shared: IgnoreCollision && value !== 0,
  });
  return [
    ...network.ReservedPorts.map((port) => ask(port, port.Value)),
    ...network.DynamicPorts.map((port) => ask(port, 0)),
  ];
}

/** A port as it was given. */
export interface GivenPort {
  readonly label: string;
  /** On the host. */
  readonly value: number;
  /** Inside; 0 = not mapped. */
  readonly to: number;
  readonly hostIp: string;
  /** Empty = of the group's network. */
  readonly task: string;
  readonly shared: boolean;
}

/** The ports of an allocation, with what its group says of them. */
export function givenPorts(group: TaskGroup, claims: Claims | undefined): GivenPort[] {
  if (claims === undefined) return [];
  const mappings = mappingsOf(group);
  return claimAskOf(group).ports.map(({ label, task, shared }, i) => {
    const value = claims.Ports[i] ?? 0;
    const to = mappings[i] ?? 0;
    return { label, value, to: to === -1 ? value : to, hostIp: claims.HostIPs[i] ?? "", task, shared };
  });
}

/** In the order of the asks. */
function mappingsOf(group: TaskGroup): number[] {
  const networks = [group.Networks[0], ...group.Tasks.map((task) => task.Resources?.Networks[0])];
  return networks.flatMap((it) => [...(it?.ReservedPorts ?? []), ...(it?.DynamicPorts ?? [])].map(({ To }) => To));
}

/** Whether a device is of the kind that a request names: type, vendor/type or vendor/type/name. */
export function isDeviceKind(request: string, { Vendor, Type, Name }: DeviceKind): boolean {
  const [first = "", second, ...rest] = request.split("/");
  if (second === undefined) return Type === first;
  return Vendor === first && Type === second && (rest.length === 0 || Name === rest.join("/"));
}

export type DeviceKind = Pick<NodeDeviceResource, "Vendor" | "Type" | "Name">;
