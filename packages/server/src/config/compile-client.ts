import { join } from "node:path";
import type { Checks } from "./checks.ts";
import type { ClientConfig, HostVolumeConfig, ReservedResources } from "./config.ts";
import { DEFAULTS, DEV_DEFAULTS } from "./defaults.ts";
import { type JoinOptions, joinAddresses } from "./join.ts";
import type { FileOptions } from "./options.ts";

type ClientOptions = NonNullable<FileOptions["client"]>;

export interface ClientContext {
  readonly enabled: boolean;
  readonly dev: boolean;
  readonly dataDir: string;
}

export function compileClient(options: ClientOptions, context: ClientContext, checks: Checks): ClientConfig {
  const base = DEFAULTS.client;
  const size = (name: "cpu_total_compute" | "memory_total_mb" | "disk_total_mb" | "disk_free_mb") =>
    checks.atLeast(`client.${name}`, options[name] ?? 0, 0);
  return {
    enabled: context.enabled,
    servers: joinAddresses(options as JoinOptions, "client", checks),
    nodeClass: options.node_class ?? "",
    nodePool: checks.name("client.node_pool", options.node_pool ?? base.nodePool),
    meta: options.meta ?? {},
    options: { ...(context.dev ? DEV_DEFAULTS.clientOptions : {}), ...options.options },
    allocDir: directory("alloc_dir", "alloc", options, context, checks),
    stateDir: directory("state_dir", "client", options, context, checks),
    reserved: reserved(options, checks),
    cpuTotalCompute: size("cpu_total_compute"),
    memoryTotalMb: size("memory_total_mb"),
    diskTotalMb: size("disk_total_mb"),
    diskFreeMb: size("disk_free_mb"),
    networkInterface: options.network_interface ?? "",
    maxKillTimeoutMs: checks.durationMs(
      "client.max_kill_timeout",
      options.max_kill_timeout ?? base.maxKillTimeoutMs,
      0,
    ),
    dynamicPorts: dynamicPorts(options, checks),
    gc: gc(options, context.dev, checks),
    hostVolumes: hostVolumes(options, checks),
  };
}

function directory(
  name: "alloc_dir" | "state_dir",
  below: string,
  options: ClientOptions,
  context: ClientContext,
  checks: Checks,
): string {
  const given = options[name];
  if (given !== undefined) return checks.absolute(`client.${name}`, given);
  return context.dataDir === "" ? "" : join(context.dataDir, below);
}

function reserved({ reserved: options = {} }: ClientOptions, checks: Checks): ReservedResources {
  const amount = (name: "cpu" | "memory" | "disk") => checks.atLeast(`client.reserved.${name}`, options[name] ?? 0, 0);
  return {
    cpu: amount("cpu"),
    memoryMb: amount("memory"),
    diskMb: amount("disk"),
    ports: ports(options.reserved_ports, checks),
  };
}

/** "22,80,8500-8600" */
function ports(text: string | undefined, checks: Checks): number[] {
  if (text === undefined) return [];
  const path = "client.reserved.reserved_ports";
  const numbers = text.split(",").flatMap((part) => {
    const found = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part);
    const [first, last] = [Number(found?.[1]), Number(found?.[2] ?? found?.[1])];
    if (!(first >= 1 && first <= last && last <= 65_535)) {
      return checks.refuse(path, `must be ports and ranges such as "22,8500-8600", not "${part}"`);
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function dynamicPorts(options: ClientOptions, checks: Checks): ClientConfig["dynamicPorts"] {
  const min = checks.between(
    "client.min_dynamic_port",
    options.min_dynamic_port ?? DEFAULTS.client.dynamicPortMin,
    1,
    65_535,
  );
  const max = checks.between(
    "client.max_dynamic_port",
    options.max_dynamic_port ?? DEFAULTS.client.dynamicPortMax,
    1,
    65_535,
  );
  if (min > max)
    checks.refuse("client.min_dynamic_port", `(${min}) must not be above client.max_dynamic_port (${max})`);
  return { min, max };
}

function gc(options: ClientOptions, dev: boolean, checks: Checks): ClientConfig["gc"] {
  const base = dev ? { ...DEFAULTS.client, ...DEV_DEFAULTS } : DEFAULTS.client;
  const percent = (name: "gc_disk_usage_threshold" | "gc_inode_usage_threshold", otherwise: number) =>
    checks.between(`client.${name}`, options[name] ?? otherwise, 0, 100);
  return {
    intervalMs: checks.durationMs("client.gc_interval", options.gc_interval ?? base.gcIntervalMs, 1),
    parallelDestroys: checks.atLeast(
      "client.gc_parallel_destroys",
      options.gc_parallel_destroys ?? base.gcParallelDestroys,
      1,
    ),
    diskUsageThreshold: percent("gc_disk_usage_threshold", base.gcDiskUsageThreshold),
    inodeUsageThreshold: percent("gc_inode_usage_threshold", base.gcInodeUsageThreshold),
    maxAllocs: checks.atLeast("client.gc_max_allocs", options.gc_max_allocs ?? base.gcMaxAllocs, 1),
  };
}

function hostVolumes({ host_volume: volumes = {} }: ClientOptions, checks: Checks): Record<string, HostVolumeConfig> {
  return Object.fromEntries(
    Object.entries(volumes).map(([name, { path, read_only: readOnly = false }]) => {
      const option = `client.host_volume.${name}`;
      if (path === undefined) return checks.refuse(option, "needs a path");
      return [name, { path: checks.absolute(`${option}.path`, path), readOnly }];
    }),
  );
}
