// What is asked of an agent, which may be another one than this: a server by name or ID, a node, some server of another region.
import { randomUUID } from "node:crypto";
import { SteppeError } from "@steppe/model";
import { type AgentArguments, answerOfAgent } from "../agent-answers.ts";
import type { Exchange } from "../exchange.ts";
import { dataOf } from "../reply/pieces.ts";
import { queryOptions } from "../request/query-options.ts";

export interface AgentCall {
  /** One of `answerOfAgent`. */
  readonly method: string;
  readonly args: AgentArguments;
}

/** The answer of the agent that `node_id`, `server_id` and `region` mean. */
export function askAgent(exchange: Exchange, { method, args }: AgentCall): AsyncIterable<Uint8Array> {
  const { params, needs } = exchange;
  const { node_id: node = "", server_id: server = "" } = params;
  if (node !== "" && server !== "") {
    throw new SteppeError("invalid", "Cannot target node and server simultaneously");
  }
  const Query = queryOptions(exchange);
  const isNear = Query.Region === "" || Query.Region === needs.region;
  if (isNear && isOwn(exchange, node, server)) {
    return answerOfAgent(needs.controls, method, args, exchange.signal);
  }
  const services = exchange.services(Query.Region);
  const request = { Query, Method: method, Arguments: JSON.stringify(args), Local: false };
  if (node === "") return dataOf(services.serverCalls.open({ ...request, Server: server }, exchange));
  return dataOf(services.clientCalls.open({ ...request, CallID: randomUUID(), NodeID: node, AllocID: "" }, exchange));
}

function isOwn({ needs }: Exchange, node: string, server: string): boolean {
  const { controls, name } = needs;
  if (node !== "") return node === controls.client()?.nodeId;
  return server === "" || server === name || server === controls.server()?.id;
}
