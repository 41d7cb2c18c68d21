import type { AgentInformation, Gauge, GaugeTable, MetricsSnapshot } from "@steppe/http";
import { type Clock, formatTime } from "@steppe/model";
import type { Member } from "@steppe/proto";
import type { AgentConfig } from "./config/index.ts";
import type { Figures } from "./metrics/figures.ts";
import { API_VERSION, STEPPE_VERSION } from "./version.ts";

/** A figure of one part of the process, read when it is asked for. */
export interface Reading {
  /** In full: the peer's name where it has one (`nomad.nomad.` for servers), else `steppe.`. */
  readonly name: string;
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface InformationSources {
  readonly config: AgentConfig;
  readonly clock: Clock;
  member(): Member;
  /** Undefined where this process is no server, or no client. */
  serverHealth(): { ok: boolean; message: string } | undefined;
  clientHealth(): { ok: boolean; message: string } | undefined;
  /** By section, as /v1/agent/self shows them. */
  stats(): Readonly<Record<string, Readonly<Record<string, string>>>>;
  readings(): readonly Reading[];
  jobGauges(): GaugeTable;
  readonly figures: Pick<Figures, "counters" | "samples">;
}

/** What an agent tells of itself. */
export function agentInformation(sources: InformationSources): AgentInformation {
  return {
    self: () => selfBody(sources),
    health() {
      const server = sources.serverHealth();
      const client = sources.clientHealth();
      return { ...(server && { server }), ...(client && { client }) };
    },
    metrics: () => metricsBody(sources),
  };
}

function selfBody({ config, member, stats }: InformationSources): object {
  const { name, region, datacenter, dataDir, bindAddr, ports, logLevel, server, client, nats } = config;
  const own = member();
  return {
    config: {
      Name: name,
      Region: region,
      Datacenter: datacenter,
      DataDir: dataDir,
      BindAddr: bindAddr,
      LogLevel: logLevel.toUpperCase(),
      DevMode: config.dev,
      Ports: { HTTP: ports.http, RPC: ports.rpc },
      Server: { Enabled: server.enabled, NumSchedulers: server.numSchedulers },
      Client: { Enabled: client.enabled, NodeClass: client.nodeClass, NodePool: client.nodePool },
      Nats: nats === undefined ? null : { Replicas: nats.replicas },
      Version: { Version: API_VERSION, VersionMetadata: `steppe-${STEPPE_VERSION}` },
      ACL: { Enabled: false },
    },
    member: { Name: own.Name, Addr: own.Address, Port: own.GrpcPort, Status: own.Status, Tags: own.Tags },
    stats: { ...stats(), runtime: { version: process.version, arch: process.arch, kernel: process.platform } },
  };
}

function metricsBody({ clock, readings, jobGauges, config, figures }: InformationSources): MetricsSnapshot {
  const { rss, heapUsed } = process.memoryUsage();
  const cpu = process.cpuUsage();
  const own: Reading[] = [
    { name: "nomad.runtime.sys_bytes", value: rss },
    { name: "nomad.runtime.alloc_bytes", value: heapUsed },
    { name: "steppe.runtime.rss_bytes", value: rss },
    { name: "steppe.runtime.cpu_seconds", value: (cpu.user + cpu.system) / 1e6 },
    { name: "steppe.runtime.uptime_seconds", value: process.uptime() },
    { name: "steppe.runtime.event_loop_utilization", value: performance.eventLoopUtilization().utilization },
  ];
  const gauges = [...own, ...readings()].map(
    ({ name, labels, value }): Gauge => ({ Name: name, Labels: { host: config.name, ...labels }, Value: value }),
  );
  const labels = { host: config.name };
  const sampled = { Counters: figures.counters(labels), Samples: figures.samples(labels) };
  return { Timestamp: goTime(clock.wallNs()), Gauges: gauges, Table: jobGauges(), Points: [], ...sampled };
}

/** As the peer prints it: `2006-01-02 15:04:05 +0000 UTC`. */
function goTime(ns: number): string {
  return `${formatTime(Math.floor(ns / 1e9) * 1e9)
    .replace("T", " ")
    .replace("Z", "")} +0000 UTC`;
}
