// What clients know as Raft's: here the copies of the region's log, and the lease.
import { SteppeError } from "@steppe/model";
import type { Member } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { queryOptions } from "../request/query-options.ts";
import { resolveRegion } from "../request/region.ts";
import { writeOptions } from "../request/write-options.ts";
import { fixed, put, type Resource } from "../resource.ts";

export const raftResources: readonly Resource[] = [
  fixed("/v1/operator/raft/configuration", { GET: configuration }),
  fixed("/v1/operator/raft/peer", { DELETE: removePeer }),
  fixed("/v1/operator/raft/transfer-leadership", put(transferLeadership)),
];

/** The newest that clients know: there is nothing here to be older. */
const RAFT_PROTOCOL = "3";

async function configuration(exchange: Exchange): Promise<void> {
  const Query = queryOptions(exchange);
  const { Index, Replicas } = await exchange.services(Query.Region).operator.log({ Query }, exchange);
  const Servers = Replicas.map(({ Name, Leader, Current, Offline, Lag, Active }) => ({
    ...{ ID: Name, Node: Name, Address: Name, Leader, Voter: true, RaftProtocol: RAFT_PROTOCOL },
    ...{ Current, Offline, Lag, Active },
  }));
  return exchange.json(JSON.stringify({ Index, Servers }));
}

function removePeer({ params }: Exchange): never {
  const { id = "", address = "" } = params;
  if (id === "" && address === "") {
    const text = "Must specify either ?id with the server's ID or ?address with IP:port of peer to remove";
    throw new SteppeError("invalid", text);
  }
  if (id !== "" && address !== "") throw new SteppeError("invalid", "Must specify only one of ?id or ?address");
  const text = "the log's replicas are NATS servers, which NATS removes itself: nats server raft peer-remove";
  throw new SteppeError("refused", text);
}

/** The lease goes to the server named, or where none is, to the first that takes it. */
async function transferLeadership(exchange: Exchange): Promise<void> {
  const { needs, params } = exchange;
  const { id = "", address = "" } = params;
  if (id !== "" && address !== "") throw new SteppeError("invalid", "must specify either id or address");
  const region = resolveRegion(needs, params.region ?? "");
  const Write = writeOptions(exchange, { region, namespace: "", secret: "" });
  const { operator } = exchange.services(region);
  const Successor = successorOf(exchange, region || needs.region, id || address);
  const { Index } = await operator.transferLeadership({ Write, Successor }, exchange);
  exchange.header("X-Nomad-Index", String(Index));
  return exchange.empty();
}

/** Member name of a live server that is called so; empty where none is asked for. */
function successorOf({ needs }: Exchange, region: string, wanted: string): string {
  if (wanted === "") return "";
  const found = needs.members().find((it) => it.Region === region && it.Status === "alive" && isNamed(it, wanted));
  if (found !== undefined) return found.Name;
  throw new SteppeError("refused", `no live server of region ${region} has ID or address ${wanted}`);
}

function isNamed({ Name, ID, Address, GrpcPort }: Member, wanted: string): boolean {
  return [Name, ID, `${Address}:${GrpcPort}`].includes(wanted);
}
