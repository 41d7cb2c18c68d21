// What a node agent is told when it is made. Optional here, complete after `compileConfig`.
import { join } from "node:path";
import { SteppeError } from "@steppe/model";
import type { Variables } from "./drivers/interpolate.ts";

export interface ClientConfig {
  /** gRPC addresses, host:port, of servers of the region; at least one. */
  readonly servers: readonly string[];
  /** Default "global". */
  readonly region?: string;
  /** Default "dc1". */
  readonly datacenter?: string;
  /** Default: the host's name. */
  readonly name?: string;
  readonly nodeClass?: string;
  /** Default "default". */
  readonly nodePool?: string;
  readonly meta?: Readonly<Record<string, string>>;
  /** Added to what is fingerprinted, and stronger. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Holds `client/` (identity, allocation state) and `alloc/`. */
  readonly dataDir: string;
  /** Default `<dataDir>/client`. */
  readonly stateDir?: string;
  /** Default `<dataDir>/alloc`. */
  readonly allocDir?: string;
  /** host:port, shown as the node's HTTPAddr. */
  readonly httpAddress?: string;
  /** Kept from allocations. */
  readonly reserved?: ReservedConfig;
  /** Both ends included; default 20000 to 32000. */
  readonly dynamicPorts?: { readonly min: number; readonly max: number };
  /** By the name that jobs mount them under. */
  readonly hostVolumes?: Readonly<Record<string, { readonly path: string; readonly readOnly: boolean }>>;
  /** MHz; 0 or unset = as fingerprinted. */
  readonly cpuTotalCompute?: number;
  /** MiB; 0 or unset = as fingerprinted. */
  readonly memoryTotalMb?: number;
  /** MiB; 0 or unset = what is free where allocations live. */
  readonly diskTotalMb?: number;
  /** Default: all the agent has. */
  readonly drivers?: readonly DriverName[];
  /** Environment that tasks inherit; default none. */
  readonly hostEnv?: Variables;
  /** Whether `stop` ends the tasks too, as `-dev` does; default false: they run on, for the next life of the agent. */
  readonly killTasksOnStop?: boolean;
  /** Terminal allocations whose files are kept; default 50. */
  readonly gcMaxAllocs?: number;
}

export interface ReservedConfig {
  /** MHz. */
  readonly cpu?: number;
  readonly memoryMb?: number;
  readonly diskMb?: number;
  /** As in "22,80,8500-8600". */
  readonly ports?: string;
}

/** Above the registered ports, below those the kernel hands out. */
const DYNAMIC_PORTS = { min: 20_000, max: 32_000 };

export const DRIVER_NAMES = ["raw_exec", "mock_driver"] as const;
export type DriverName = (typeof DRIVER_NAMES)[number];

export type CompiledConfig = Readonly<Omit<Required<ClientConfig>, "reserved">> & {
  readonly reserved: Readonly<Required<ReservedConfig>>;
};

/** Throws `invalid`, naming the option. `hostname` stands in for a name that is not given. */
export function compileConfig(config: ClientConfig, hostname: string): CompiledConfig {
  if (config.servers.length === 0) throw new SteppeError("invalid", "client: at least one server is needed");
  const unknown = (config.drivers ?? []).find((name) => !DRIVER_NAMES.includes(name));
  if (unknown !== undefined) throw new SteppeError("invalid", `client: unknown driver ${JSON.stringify(unknown)}`);
  const { cpu = 0, memoryMb = 0, diskMb = 0, ports = "" } = config.reserved ?? {};
  return {
    servers: config.servers,
    region: config.region ?? "global",
    datacenter: config.datacenter ?? "dc1",
    name: config.name || hostname,
    nodeClass: config.nodeClass ?? "",
    nodePool: config.nodePool || "default",
    meta: config.meta ?? {},
    attributes: config.attributes ?? {},
    dataDir: config.dataDir,
    stateDir: config.stateDir || join(config.dataDir, "client"),
    allocDir: config.allocDir || join(config.dataDir, "alloc"),
    httpAddress: config.httpAddress ?? "",
    reserved: { cpu, memoryMb, diskMb, ports },
    dynamicPorts: config.dynamicPorts ?? DYNAMIC_PORTS,
    hostVolumes: config.hostVolumes ?? {},
    cpuTotalCompute: config.cpuTotalCompute ?? 0,
    memoryTotalMb: config.memoryTotalMb ?? 0,
    diskTotalMb: config.diskTotalMb ?? 0,
    drivers: config.drivers ?? DRIVER_NAMES,
    hostEnv: config.hostEnv ?? {},
    killTasksOnStop: config.killTasksOnStop ?? false,
    gcMaxAllocs: config.gcMaxAllocs ?? 50,
  };
}
