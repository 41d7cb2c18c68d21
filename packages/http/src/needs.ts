import type { Clock, Logger, RegionServices } from "@steppe/model";
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
  readonly agent: AgentInformation;
  /** Reads a job file, with assignments to its variables; fills nothing in. Throws `invalid` with the place. */
  parseJob(text: string, variables: string): Job;
  /** ID of the node agent in this process; empty where there is none. */
  nodeId(): string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface AgentInformation {
  /** Body of /v1/agent/self. */
  self(): object;
  health(): AgentHealth;
  metrics(): MetricsSnapshot;
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

/** Body of /v1/metrics, in the form of go-metrics. */
export interface MetricsSnapshot {
  readonly Timestamp: string;
  readonly Gauges: readonly Gauge[];
  readonly Points: readonly object[];
  readonly Counters: readonly Sampled[];
  readonly Samples: readonly Sampled[];
}

export interface Gauge {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Value: number;
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
}
