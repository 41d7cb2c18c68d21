// Who this agent knows: joining, ejecting and the servers that a client talks to.
import { SteppeError } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import type { ClientControls, ServerControls } from "../needs.ts";
import { parseBool } from "../request/params.ts";
import { fixed, put, type Resource } from "../resource.ts";

export const agentClusterResources: readonly Resource[] = [
  fixed("/v1/agent/join", put(join)),
  fixed("/v1/agent/force-leave", put(forceLeave)),
  fixed("/v1/agent/servers", { GET: servers, ...put(setServers) }),
  fixed("/v1/agent/keyring/list", { GET: keys, ...put(keys) }),
  ...["install", "use", "remove"].map((action) =>
    fixed(`/v1/agent/keyring/${action}`, { ...put(noKeyring), DELETE: noKeyring }),
  ),
];

async function join(exchange: Exchange): Promise<void> {
  const server = serverOf(exchange);
  const addresses = exchange.all("address");
  if (addresses.length === 0) throw new SteppeError("invalid", "missing address to join");
  const { joined, error } = await server.join(addresses);
  return exchange.json(JSON.stringify({ num_joined: joined, error }));
}

function forceLeave(exchange: Exchange): void | Promise<void> {
  const server = serverOf(exchange);
  const { node = "", prune = "" } = exchange.params;
  if (node === "") throw new SteppeError("invalid", "missing node to force leave");
  const isPrune = prune === "" ? false : parseBool(prune);
  if (isPrune === undefined) throw new SteppeError("invalid", "invalid prune value");
  server.forceLeave(node, isPrune);
  return exchange.empty();
}

function servers(exchange: Exchange): void | Promise<void> {
  return exchange.json(JSON.stringify(clientOf(exchange).servers().toSorted()));
}

function setServers(exchange: Exchange): void | Promise<void> {
  const client = clientOf(exchange);
  const addresses = exchange.all("address");
  if (addresses.length === 0) throw new SteppeError("invalid", "missing server address");
  client.setServers(addresses);
  return exchange.empty();
}

/** Gossip has keys in the peer. There is none here, and so no key. */
async function keys(exchange: Exchange): Promise<void> {
  await exchange.needs.learnMembers(exchange);
  return exchange.json(JSON.stringify({ Messages: {}, Keys: {}, NumNodes: exchange.needs.members().length }));
}

function noKeyring(): never {
  const text = "keyring is empty: servers do not gossip, they talk over NATS and gRPC; see the nats and tls blocks";
  throw new SteppeError("refused", text);
}

/** An agent that is not what is asked for says so as the peer does. */
function serverOf(exchange: Exchange): ServerControls {
  const server = exchange.needs.controls.server();
  if (server === undefined) throw new SteppeError("unserved", "Invalid method");
  return server;
}

function clientOf(exchange: Exchange): ClientControls {
  const client = exchange.needs.controls.client();
  if (client === undefined) throw new SteppeError("unserved", "Invalid method");
  return client;
}
