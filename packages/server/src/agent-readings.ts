// What an agent's figures are read from, at the moment they are asked for.
import { freemem, totalmem } from "node:os";
import type { NodeAgent } from "@steppe/client";
import type { BrokerStats } from "@steppe/control";
import type { GaugeRow, GaugeTable } from "@steppe/http";
import type { Clock } from "@steppe/model";
import type { StateView } from "@steppe/state";
import type { Reading } from "./agent-information.ts";
import type { Server } from "./server.ts";

/** Without word from the log for so long, a server can take no writes. */
const SILENCE_MAX_MS = 10_000;

export function serverHealth(server: Server | undefined, clock: Clock): { ok: boolean; message: string } {
  if (server === undefined) return { ok: false, message: "starting" };
  const { log, view } = server.opened.replica;
  if (log.silenceMs() > SILENCE_MAX_MS) return { ok: false, message: "no word from the log" };
  if (view.lease === undefined || view.lease.Expires < clock.wallNs())
    return { ok: false, message: "No cluster leader" };
  return { ok: true, message: "ok" };
}

/** By section, all values as text, as clients of /v1/agent/self expect. */
export function stats(
  server: Server | undefined,
  client: NodeAgent | undefined,
): Record<string, Record<string, string>> {
  const sections: Record<string, Record<string, string>> = {};
  if (server !== undefined) {
    const { view, watches } = server.opened.replica;
    sections.nomad = {
      server: "true",
      leader: String(server.leadership.term !== undefined),
      leader_addr: view.lease?.Address ?? "",
      log: server.opened.settings.kind,
      applied_index: String(view.index),
      blocking_queries: String(watches.waiting),
    };
  }
  if (client !== undefined) {
    const { server: talksTo, running, terminal, heartbeats } = client.stats();
    sections.client = {
      node_id: client.nodeId,
      known_servers: talksTo,
      num_allocations: String(running + terminal),
      heartbeats: String(heartbeats),
    };
  }
  return sections;
}

export function readings(server: Server | undefined, client: NodeAgent | undefined): Reading[] {
  return [
    ...(server === undefined ? [] : serverReadings(server)),
    ...(client === undefined ? [] : clientReadings(client)),
  ];
}

function serverReadings({ opened, leadership, duties, workers }: Server): Reading[] {
  const { view, watches, log } = opened.replica;
  return [
    ...brokerReadings(duties.duties.brokerStats()),
    ...stateReadings(view),
    ...workers.all.map((worker, n) => ({
      name: "steppe.worker.processed",
      value: worker.stats().processed,
      labels: { worker: String(n) },
    })),
    { name: "nomad.raft.appliedIndex", value: view.index },
    { name: "nomad.raft.is_leader", value: leadership.term === undefined ? 0 : 1 },
    { name: "nomad.state.snapshotIndex", value: view.index },
    { name: "steppe.log.applied_index", value: view.index },
    { name: "steppe.log.silence_ms", value: log.silenceMs() },
    { name: "steppe.lease.held", value: leadership.term === undefined ? 0 : 1 },
    { name: "steppe.lease.term", value: view.lease?.Term ?? 0 },
    { name: "steppe.blocking_queries", value: watches.waiting },
  ];
}

/** Nothing while another server leads. */
function brokerReadings(broker: BrokerStats | undefined): Reading[] {
  if (broker === undefined) return [];
  const byType = Object.entries(broker.byType).flatMap(([type, { ready, unacked }]) => [
    { name: `nomad.nomad.broker.${type}_ready`, value: ready },
    { name: `nomad.nomad.broker.${type}_unacked`, value: unacked },
  ]);
  return [
    { name: "nomad.nomad.broker.total_ready", value: broker.ready },
    { name: "nomad.nomad.broker.total_unacked", value: broker.unacked },
    { name: "nomad.nomad.broker.total_pending", value: broker.waiting },
    { name: "nomad.nomad.broker.total_waiting", value: broker.delayed },
    { name: "nomad.nomad.blocked_evals.total_blocked", value: broker.blocked },
    ...byType,
  ];
}

function stateReadings(view: StateView): Reading[] {
  const jobs = { pending: 0, running: 0, dead: 0 } as Record<string, number>;
  for (const { job } of view.jobs.byKey.values()) jobs[job.Status] = (jobs[job.Status] ?? 0) + 1;
  const nodes: Record<string, number> = { ready: 0, down: 0 };
  for (const node of view.nodes.nodes) if (node !== undefined) nodes[node.Status] = (nodes[node.Status] ?? 0) + 1;
  return [
    ...Object.entries(jobs).map(([status, value]) => ({ name: `nomad.nomad.job_status.${status}`, value })),
    { name: "nomad.nomad.heartbeat.active", value: nodes.ready ?? 0 },
    ...Object.entries(nodes).map(([status, value]) => ({ name: "steppe.nodes", value, labels: { status } })),
    { name: "steppe.state.jobs", value: view.jobs.byKey.size },
    { name: "steppe.state.evaluations", value: view.evaluations.byId.size },
    { name: "steppe.state.allocations", value: view.allocations.byId.size },
    { name: "steppe.state.nodes", value: view.nodes.size },
  ];
}

const COUNTS = ["Queued", "Complete", "Failed", "Running", "Starting", "Lost", "Unknown"] as const;

/** How many allocations of each group of each job there are, by what became of them. */
export function jobGauges(server: Server | undefined, host: string): GaugeTable {
  const rows: GaugeRow[] = [];
  for (const { job, summary } of server?.opened.replica.view.jobs.byKey.values() ?? []) {
    // Children come by the thousand and are gone soon; their parent tells how many there are.
    if (job.ParentID !== "") continue;
    for (const [group, counts] of Object.entries(summary.Summary)) {
      const Labels = { host, job: job.ID, task_group: group, namespace: job.Namespace };
      rows.push({ Labels, Values: COUNTS.map((count) => counts[count]) });
    }
  }
  return { Names: COUNTS.map((count) => `nomad.nomad.job_summary.${count.toLowerCase()}`), Rows: rows };
}

function clientReadings(client: NodeAgent): Reading[] {
  const { running, terminal, unacknowledged } = client.stats();
  const labels = { node_id: client.nodeId };
  return [
    { name: "nomad.client.allocations.running", value: running, labels },
    { name: "nomad.client.allocations.terminal", value: terminal, labels },
    { name: "nomad.client.uptime", value: process.uptime(), labels },
    { name: "nomad.client.host.memory.total", value: totalmem(), labels },
    { name: "nomad.client.host.memory.free", value: freemem(), labels },
    { name: "steppe.client.updates.unacknowledged", value: unacknowledged, labels },
  ];
}
