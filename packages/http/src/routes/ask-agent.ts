// What is asked of an agent, which may be another one than this: a server by name or ID, a node, some server of another region.
import { randomUUID } from "node:crypto";
import { SteppeError } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import { queryOptions } from "../request/query-options.ts";

export interface AgentCall {
  /** One of packages/server/src/agent-calls.ts. */
  readonly method: string;
  readonly args: object;
}

/** The answer of the agent that `node_id`, `server_id` and `region` mean; `own` is this one's. */
export function askAgent(
  exchange: Exchange,
  { method, args }: AgentCall,
  own: () => AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const { params, needs } = exchange;
  const { node_id: node = "", server_id: server = "" } = params;
  if (node !== "" && server !== "") {
    throw new SteppeError("invalid", "Cannot target node and server simultaneously");
  }
  const Query = queryOptions(exchange);
  const isNear = Query.Region === "" || Query.Region === needs.region;
  if (isNear && isOwn(exchange, node, server)) return own();
  const services = exchange.services(Query.Region);
  const request = { Query, Method: method, Arguments: JSON.stringify(args), Local: false };
  if (node === "") return data(services.serverCalls.open({ ...request, Server: server }, exchange));
  return data(services.clientCalls.open({ ...request, CallID: randomUUID(), NodeID: node, AllocID: "" }, exchange));
}

function isOwn({ needs }: Exchange, node: string, server: string): boolean {
  const { controls, name } = needs;
  if (node !== "") return node === controls.client()?.nodeId;
  return server === "" || server === name || server === controls.server()?.id;
}

async function* data(frames: AsyncIterable<{ readonly Data: Uint8Array }>): AsyncGenerator<Uint8Array> {
  for await (const { Data } of frames) yield Data;
}

export async function wholeText(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString("utf8");
}
