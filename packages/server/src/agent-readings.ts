// What an agent's figures are read from, at the moment they are asked for.
import type { NodeAgent } from "@steppe/client";
import type { BrokerStats } from "@steppe/control";
import type { Clock } from "@steppe/model";
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
    ...workers.all.map((worker) => ({ name: "worker.processed", value: worker.stats().processed })),
    { name: "steppe.applied_index", value: view.index },
    { name: "steppe.log_silence_ms", value: log.silenceMs() },
    { name: "steppe.leading", value: leadership.term === undefined ? 0 : 1 },
    { name: "steppe.lease_term", value: view.lease?.Term ?? 0 },
    { name: "steppe.blocking_queries", value: watches.waiting },
    { name: "state.jobs", value: view.jobs.byKey.size },
    { name: "state.evaluations", value: view.evaluations.byId.size },
    { name: "state.allocations", value: view.allocations.byId.size },
    { name: "state.nodes", value: view.nodes.size },
  ];
}

/** Nothing while another server leads. */
function brokerReadings(broker: BrokerStats | undefined): Reading[] {
  if (broker === undefined) return [];
  const byType = Object.entries(broker.byType).flatMap(([type, { ready, unacked }]) => [
    { name: "broker.ready", value: ready, labels: { type } },
    { name: "broker.unacked", value: unacked, labels: { type } },
  ]);
  return [
    { name: "broker.total_ready", value: broker.ready },
    { name: "broker.total_unacked", value: broker.unacked },
    { name: "broker.total_pending", value: broker.waiting },
    { name: "broker.total_waiting", value: broker.delayed },
    { name: "blocked_evals.total_blocked", value: broker.blocked },
    ...byType,
  ];
}

function clientReadings(client: NodeAgent): Reading[] {
  const { running, terminal, unacknowledged } = client.stats();
  return [
    { name: "client.allocations.running", value: running },
    { name: "client.allocations.terminal", value: terminal },
    { name: "client.updates.unacknowledged", value: unacknowledged },
  ];
}
