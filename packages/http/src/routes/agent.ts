import type { Member } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import type { AgentHealth } from "../needs.ts";
import { metricsJson } from "../reply/metrics-json.ts";
import { Payload } from "../reply/payload.ts";
import { prometheusText } from "../reply/prometheus.ts";
import { fixed, type Resource } from "../resource.ts";

export const agentResources: readonly Resource[] = [
  fixed("/v1/agent/self", { GET: (exchange) => exchange.json(JSON.stringify(exchange.needs.agent.self())) }),
  fixed("/v1/agent/members", { GET: members }),
  fixed("/v1/agent/health", { GET: health }),
  fixed("/v1/metrics", { GET: metrics }),
];

async function members(exchange: Exchange): Promise<void> {
  const { needs } = exchange;
  await needs.learnMembers(exchange);
  return exchange.json(
    JSON.stringify({
      ServerName: needs.name,
      ServerRegion: needs.region,
      ServerDC: needs.datacenter,
      Members: needs.members().map(memberOf),
    }),
  );
}

// Versions of the peer's gossip protocol, which clients print; there is none here.
const PROTOCOLS = { ProtocolMin: 1, ProtocolMax: 5, ProtocolCur: 2, DelegateMin: 2, DelegateMax: 5, DelegateCur: 4 };

function memberOf(member: Member): object {
  const port = String(member.GrpcPort);
  const Tags = {
    ...member.Tags,
    role: "nomad",
    region: member.Region,
    dc: member.Datacenter,
    id: member.ID,
    rpc_addr: member.Address,
    port,
    build: member.Version,
    vsn: "1",
  };
  return { Name: member.Name, Addr: member.Address, Port: member.GrpcPort, Tags, Status: member.Status, ...PROTOCOLS };
}

/** 200 when every part asked for is well, else 500, with the same body. */
function health(exchange: Exchange): void | Promise<void> {
  const { type } = exchange.params;
  const { server, client } = exchange.needs.agent.health();
  const shown: AgentHealth = {
    ...(client !== undefined && type !== "server" ? { client } : {}),
    ...(server !== undefined && type !== "client" ? { server } : {}),
  };
  const body = JSON.stringify(shown);
  const isWell = (shown.server?.ok ?? true) && (shown.client?.ok ?? true);
  return isWell ? exchange.json(body) : exchange.text(500, body);
}

function metrics(exchange: Exchange): void | Promise<void> {
  const snapshot = exchange.needs.agent.metrics();
  const isText = exchange.params.format === "prometheus";
  const type = isText ? "text/plain; version=0.0.4; charset=utf-8" : "application/json";
  const pieces = isText ? prometheusText(snapshot) : metricsJson(snapshot);
  if (snapshot.Table.Rows.length > ROWS_AT_ONCE && !exchange.isPretty) return exchange.inPieces(type, pieces);
  const text = [...pieces].join("");
  return isText ? exchange.send(200, type, new Payload(text)) : exchange.json(text);
}

/** More gauges of jobs go out in pieces: ten thousand jobs have 70,000. */
const ROWS_AT_ONCE = 64;
