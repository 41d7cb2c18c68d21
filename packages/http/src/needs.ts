import type { Call, Clock, Logger, RegionServices } from "@steppe/model";
import type { Job, Member } from "@steppe/proto";

export type { RegionServices } from "@steppe/model";

/** What the HTTP API asks of the process it runs in. */
export interface HttpNeeds {
  /** Own region. */
  readonly region: string;
  /** Own name as members see it: `<server>.<region>`. */
  readonly name: string;
  readonly datacenter: string;
  /** Empty = own region. Throws `no-path-to-region`. */
  route(region: string): RegionServices;
  /** Regions with at least one server alive, in any order. */
  regions(): readonly string[];
  /** Servers of all regions, those that failed or left included. */
  members(): readonly Member[];
  /** Asks a server, where this agent is none, so that what `members` and `regions` tell is of now. */
  learnMembers(call: Call): Promise<void>;
  readonly agent: AgentInformation;
  /** Reads a job file, with assignments to its variables; fills nothing in. Throws `invalid` with the place. */
  parseJob(text: string, variables: string): Job;
  /** ID of the node agent in this process; empty where there is none. */
  nodeId(): string;
  readonly controls: AgentControls;
  /** The own region's state as files; absent on an agent that is no server. Throws `no-quorum` while it starts. */
  readonly snapshots?: (() => SnapshotDoor) | undefined;
  /** Told how long a request took that was not held: its route's path, method and status. */
  served?(route: string, method: string, status: number, ms: number): void;
  /** Kept by the HTTP API: how many requests wait for their answers, held ones not counted. */
  readonly waiting?: { requests: number };
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface SnapshotDoor {
  /** A file, in pieces, with the state as it is now. */
  save(): AsyncIterable<Uint8Array>;
  /** Replaces the state by a file's; resolves with the index it then has. Throws `invalid` for a file that is damaged. */
  restore(file: AsyncIterable<Uint8Array>): Promise<number>;
}

export interface AgentInformation {
  /** Body of /v1/agent/self. */
  self(): object;
  health(): AgentHealth;
  metrics(): MetricsSnapshot;
}

/** What can be asked of this one process, and of no other. */
export interface AgentControls {
  /** Whether facts of the host and profiles are served. */
  readonly debug: boolean;
  /** Undefined where this agent is no server. */
  server(): ServerControls | undefined;
  /** Undefined where this agent runs no allocations. */
  client(): ClientControls | undefined;
  readonly commandLine: string;
  /** Of Steppe. */
  readonly version: string;
  /** Body of /v1/agent/host. */
  host(): Promise<object>;
  /** Reads again what may change while the agent runs. */
  reload(): Promise<void>;
  /** Log lines from now on, of that level or above, until the signal aborts. */
  monitor(level: LogLevel, signal: AbortSignal): AsyncIterable<LogLine>;
  /** In the form of Chrome's tools. Rejects with `refused` while another one is being taken. */
  profile(kind: "cpu" | "heap", seconds: number, signal: AbortSignal): Promise<string>;
}

export interface ServerControls {
  /** Of this server as a member. */
  readonly id: string;
  /** Asks servers of other regions, `host:port`, to exchange members; `error` tells who did not. */
  join(addresses: readonly string[]): Promise<{ readonly joined: number; readonly error: string }>;
  /** A server that failed is shown as left, or with `prune` not at all. One that lives is left alone. */
  forceLeave(name: string, prune: boolean): void;
  schedulers(): SchedulerSettings;
  /** Until the process ends. Rejects with `invalid` for what cannot be. */
  setSchedulers(settings: SchedulerSettings): Promise<void>;
}

export interface SchedulerSettings {
  readonly count: number;
  readonly types: readonly string[];
}

export interface ClientControls {
  readonly nodeId: string;
  /** gRPC addresses of the servers it may talk to. */
  servers(): readonly string[];
  setServers(addresses: readonly string[]): void;
}

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

export interface LogLine {
  /** Unix nanoseconds. */
  readonly time: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A part that this agent does not run is absent. */
export interface AgentHealth {
  readonly server?: PartHealth;
  readonly client?: PartHealth;
}

export interface PartHealth {
  readonly ok: boolean;
  readonly message: string;
}

/** What /v1/metrics tells, in the form of go-metrics. */
export interface MetricsSnapshot {
  readonly Timestamp: string;
  readonly Gauges: readonly Gauge[];
  /** More gauges: those that each of many jobs has. */
  readonly Table: GaugeTable;
  readonly Points: readonly object[];
  readonly Counters: readonly Sampled[];
  readonly Samples: readonly Sampled[];
}

export interface Gauge {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Value: number;
}

export interface GaugeTable {
  readonly Names: readonly string[];
  readonly Rows: readonly GaugeRow[];
}

/** One gauge for each name of its table. */
export interface GaugeRow {
  readonly Labels: Readonly<Record<string, string>>;
  readonly Values: readonly number[];
}

export interface Sampled {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Count: number;
  readonly Sum: number;
  readonly Min: number;
  readonly Max: number;
  readonly Mean: number;
  readonly Stddev: number;
  readonly Rate: number;
  /** Since the process began. Not part of the JSON. */
  readonly total?: { readonly count: number; readonly sum: number };
  /** Part of all values to the value that so many are below. Not part of the JSON. */
  readonly quantiles?: readonly (readonly [number, number])[];
}
