// What differs between two versions of a job. Everything in the contract counts unless it is
// named here as not part of the specification, so a new field counts by default.
import type { Affinity, Job, NetworkResource, Service, Spread, Task, TaskGroup } from "@steppe/proto";
import { sameMessage } from "./same.ts";

/**
 * Whether two versions of a job ask for different things. Empty and absent lists, maps and free-form
 * objects are the same; the order of lists counts.
 */
export function specChanged(a: Job, b: Job): boolean {
  return !sameMessage("Job", a, b);
}

/**
 * What an allocation of version `a` needs to become one of version `b`:
 * - `none`: nothing, the versions ask for the same;
 * - `in-place`: its record moves to the new version, and its tasks run on;
 * - `destructive`: stop it and place a new one.
 *
 * Whether an in-place one still fits its node (datacenters, pool, constraints) is the scheduler's to see.
 */
export function groupUpdate(a: TaskGroup, b: TaskGroup, jobA: Job, jobB: Job): "none" | "in-place" | "destructive" {
  if (jobA === jobB || !specChanged(jobA, jobB)) return "none";
  return isDestructive(a, b, jobA, jobB) ? "destructive" : "in-place";
}

function isDestructive(a: TaskGroup, b: TaskGroup, jobA: Job, jobB: Job): boolean {
  return (
    a.Tasks.length !== b.Tasks.length ||
    !sameMessage("EphemeralDisk", a.EphemeralDisk, b.EphemeralDisk) ||
    networksChanged(a.Networks, b.Networks) ||
    affinitiesChanged(allAffinities(jobA, a), allAffinities(jobB, b)) ||
    spreadsChanged([...jobA.Spreads, ...a.Spreads], [...jobB.Spreads, ...b.Spreads]) ||
    consulChanged(a.Consul, b.Consul) ||
    connectChanged(a.Services, b.Services) ||
    !sameEntries(a.Volumes, b.Volumes, "VolumeRequest") ||
    (a.RestartPolicy?.RenderTemplates ?? false) !== (b.RestartPolicy?.RenderTemplates ?? false) ||
    a.Tasks.some((task) => {
      const other = b.Tasks.find((it) => it.Name === task.Name);
      return other === undefined || taskChanged(task, other) || metaChanged([jobA, a, task], [jobB, b, other]);
    })
  );
}

/** Whether a change of one task means to stop it and start another: job, group and task of both versions. */
export function isRestarted(a: readonly [Job, TaskGroup, Task], b: readonly [Job, TaskGroup, Task]): boolean {
  return taskChanged(a[2], b[2]) || metaChanged(a, b);
}

/** Parts of a task that it is started with: a change means a new start. */
const STARTED_WITH = {
  Config: "struct",
  Vault: "Vault",
  Artifacts: "TaskArtifact",
  Templates: "Template",
  CSIPluginConfig: "TaskCSIPluginConfig",
  VolumeMounts: "VolumeMount",
  Secrets: "Secret",
  Identity: "WorkloadIdentity",
  Identities: "WorkloadIdentity",
} as const satisfies Partial<Record<keyof Task, string>>;

function taskChanged(a: Task, b: Task): boolean {
  return (
    a.Driver !== b.Driver ||
    a.User !== b.User ||
    !sameTexts(a.Env, b.Env) ||
    consulChanged(a.Consul, b.Consul) ||
    networksChanged(a.Resources?.Networks ?? [], b.Resources?.Networks ?? []) ||
    resourcesChanged(a, b) ||
    (a.LogConfig?.Disabled ?? false) !== (b.LogConfig?.Disabled ?? false) ||
    (a.RestartPolicy?.RenderTemplates ?? false) !== (b.RestartPolicy?.RenderTemplates ?? false) ||
    Object.entries(STARTED_WITH).some(([field, message]) => {
      const key = field as keyof typeof STARTED_WITH;
      return !sameMessage(message, a[key], b[key]);
    })
  );
}

function resourcesChanged(a: Task, b: Task): boolean {
  const numbers = ["CPU", "Cores", "MemoryMB", "MemoryMaxMB", "SecretsMB"] as const;
  return (
    numbers.some((name) => (a.Resources?.[name] ?? 0) !== (b.Resources?.[name] ?? 0)) ||
    !sameMessage("RequestedDevice", a.Resources?.Devices ?? [], b.Resources?.Devices ?? []) ||
    !sameMessage("NUMA", a.Resources?.NUMA, b.Resources?.NUMA)
  );
}

/** Ports compare by label and mapping; the value of a dynamic one is chosen later and does not count. */
function networksChanged(a: readonly NetworkResource[], b: readonly NetworkResource[]): boolean {
  return (
    a.length !== b.length ||
    a.some((network, i) => describeNetwork(network) !== describeNetwork(b[i] as NetworkResource))
  );
}

function describeNetwork(network: NetworkResource): string {
  const fixed = network.ReservedPorts.map((port) => [port.Label, port.Value, port.To, port.HostNetwork]);
  const dynamic = network.DynamicPorts.map((port) => [port.Label, -1, port.To, port.HostNetwork]);
  const { Mode, MBits, Hostname, DNS, CNI } = network;
  const args = Object.entries(CNI?.Args ?? {}).sort(([x], [y]) => (x < y ? -1 : 1));
  return JSON.stringify([Mode, MBits, Hostname, DNS ?? null, args, fixed, dynamic]);
}

function allAffinities(job: Job, group: TaskGroup): Affinity[] {
  return [...job.Affinities, ...group.Affinities, ...group.Tasks.flatMap((task) => task.Affinities)];
}

/** As sets: the order of affinities, and the level they stand at, mean nothing. */
function affinitiesChanged(a: readonly Affinity[], b: readonly Affinity[]): boolean {
  const describe = (it: Affinity): string => JSON.stringify([it.LTarget, it.RTarget, it.Operand, it.Weight]);
  return a.map(describe).sort().join() !== b.map(describe).sort().join();
}

function spreadsChanged(a: readonly Spread[], b: readonly Spread[]): boolean {
  return !sameMessage("Spread", a, b);
}

/** Removing or adding the whole block changes only what is registered, unless a namespace is named. */
function consulChanged(a: TaskGroup["Consul"], b: TaskGroup["Consul"]): boolean {
  if ((a?.Namespace ?? "") !== (b?.Namespace ?? "")) return true;
  return a !== undefined && b !== undefined && (a.Cluster !== b.Cluster || a.Partition !== b.Partition);
}

/** Ordinary services change in place; those in the mesh have plumbing in the allocation's network. */
function connectChanged(a: readonly Service[], b: readonly Service[]): boolean {
  return a.some((service) => {
    const other = b.find((it) => it.Name === service.Name);
    if (service.Connect === undefined || other === undefined) return false;
    const [x, y] = [service.Connect, other.Connect];
    return (
      service.PortLabel !== other.PortLabel ||
      service.Cluster !== other.Cluster ||
      y === undefined ||
      x.Native !== y.Native ||
      !sameMessage("ConsulGateway", x.Gateway, y.Gateway) ||
      !sameMessage("SidecarTask", x.SidecarTask, y.SidecarTask) ||
      (x.SidecarService === undefined) !== (y.SidecarService === undefined) ||
      x.SidecarService?.Port !== y.SidecarService?.Port
    );
  });
}

type Meta = { readonly Meta: Readonly<Record<string, string>> };

/** From the job inwards: what a task sees is the three merged, the innermost winning. */
function metaChanged(a: readonly Meta[], b: readonly Meta[]): boolean {
  return !sameTexts(combinedMeta(a), combinedMeta(b));
}

/** Meta of a task as it sees it: `levels` are job, group and task, the innermost winning. */
export function combinedMeta(levels: readonly Meta[]): Record<string, string> {
  return Object.assign({}, ...levels.map((level) => level.Meta)) as Record<string, string>;
}

function sameTexts(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}

function sameEntries(
  a: Readonly<Record<string, object>>,
  b: Readonly<Record<string, object>>,
  message: string,
): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameMessage(message, a[key], b[key]))
  );
}
