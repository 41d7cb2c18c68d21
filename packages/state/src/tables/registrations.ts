// biome-ignore-all lint/suspicious/noTemplateCurlyInString: how the API writes a reference
// Which services of the provider `nomad` an allocation offers. They follow from the state alone: what runs, where,
// and what its job says. So no node agent has to report them, and none can forget to take one back.
import { type GivenPort, givenPorts, resolveTarget } from "@steppe/model";
import { type Node, type Service, ServiceRegistration, type TaskGroup } from "@steppe/proto";
import type { AllocationState } from "../tables/allocations.ts";
import { groupOf } from "../tables/allocations.ts";

/** Whether allocations of the group ever offer one: nearly none do, and they pay nothing. */
export function offersServices({ Services, Tasks }: TaskGroup): boolean {
  if (Services.some(isOurs)) return true;
  for (const task of Tasks) if (task.Services.some(isOurs)) return true;
  return false;
}

const isOurs = ({ Provider }: Service): boolean => Provider === "nomad";

/** Those of an allocation as it is now, by ID: of its group while it runs, of a task while that runs. */
export function servicesOf(allocation: AllocationState, node: Node | undefined): Map<string, ServiceRegistration> {
  const found = new Map<string, ServiceRegistration>();
  const group = groupOf(allocation.Job, allocation.TaskGroup);
  if (group === undefined || !offersServices(group)) return found;
  if (allocation.DesiredStatus !== "run" || allocation.ClientStatus !== "running" || node === undefined) return found;
  const ports = givenPorts(group, allocation.Claims);
  const add = (service: Service, owner: string, task: string) => {
    if (!isOurs(service)) return;
    const made = registrationOf(service, owner, { allocation, node, ports: portsFor(ports, task) });
    found.set(made.ID, made);
  };
  for (const service of group.Services) add(service, `group-${group.Name}`, service.TaskName);
  for (const task of group.Tasks) {
    if (task.Services.length === 0 || allocation.TaskStates[task.Name]?.State !== "running") continue;
    for (const service of task.Services) add(service, task.Name, task.Name);
  }
  return found;
}

/** Of the group's network, and those of the task's own, which come first. */
function portsFor(ports: readonly GivenPort[], task: string): GivenPort[] {
  return [...ports.filter((it) => it.task !== "" && it.task === task), ...ports.filter((it) => it.task === "")];
}

interface Place {
  readonly allocation: AllocationState;
  readonly node: Node;
  readonly ports: readonly GivenPort[];
}

function registrationOf(service: Service, owner: string, place: Place): ServiceRegistration {
  const { allocation, node } = place;
  const fill = (text: string) => filled(text, place);
  const name = fill(service.Name);
  const tags = allocation.isCanary && service.CanaryTags.length > 0 ? service.CanaryTags : service.Tags;
  return {
    ...ServiceRegistration.create(),
    ID: `_nomad-task-${allocation.ID}-${owner}-${name}-${service.PortLabel}`,
    ServiceName: name,
    Namespace: allocation.Namespace,
    NodeID: node.ID,
    Datacenter: node.Datacenter,
    JobID: allocation.JobID,
    AllocID: allocation.ID,
    Tags: tags.map(fill),
    ...addressOf(service, place, fill),
  };
}

function addressOf(
  { PortLabel, AddressMode, Address }: Service,
  { allocation, node, ports }: Place,
  fill: (text: string) => string,
): { Address: string; Port: number } {
  const port = ports.find(({ label }) => label === PortLabel);
  const inside = AddressMode === "alloc" || AddressMode === "alloc_ipv6";
  const network = allocation.NetworkStatus;
  const own = AddressMode === "alloc_ipv6" ? network?.AddressIPv6 : network?.Address;
  const number = /^\d+$/.test(PortLabel) ? Number(PortLabel) : 0;
  return {
    Address: Address !== "" ? fill(Address) : (inside && own) || port?.hostIp || nodeAddress(node),
    Port: port === undefined ? number : inside && port.to > 0 ? port.to : port.value,
  };
}

function nodeAddress({ Attributes, HTTPAddr }: Node): string {
  return Attributes["unique.network.ip-address"] ?? HTTPAddr.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

/** With references filled in; one that means nothing here stays. */
function filled(text: string, place: Place): string {
  if (!text.includes("${")) return text;
  return text.replace(/\$\{([^}]+)\}/g, (whole, name: string) => variableOf(name, place) ?? whole);
}

function variableOf(name: string, { allocation, node }: Place): string | undefined {
  const { Job } = allocation;
  switch (name) {
    case "NOMAD_ALLOC_ID":
      return allocation.ID;
    case "NOMAD_SHORT_ALLOC_ID":
      return allocation.ID.slice(0, 8);
    case "NOMAD_ALLOC_NAME":
      return allocation.Name;
    case "NOMAD_ALLOC_INDEX":
      return String(allocation.NameIndex);
    case "NOMAD_GROUP_NAME":
      return allocation.TaskGroup;
    case "NOMAD_JOB_ID":
      return Job.ID;
    case "NOMAD_JOB_NAME":
      return Job.Name;
    case "NOMAD_NAMESPACE":
      return Job.Namespace;
    case "NOMAD_REGION":
      return Job.Region;
    case "NOMAD_DC":
      return node.Datacenter;
  }
  const meta = /^NOMAD_META_(.+)$/.exec(name)?.[1];
  if (meta !== undefined) return Job.Meta[meta];
  return resolveTarget(`\${${name}}`, node);
}
