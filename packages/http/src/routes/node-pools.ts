import { fromJson, parseDuration, SteppeError, toJson } from "@steppe/model";
import type { NodePool } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { queryOptions } from "../request/query-options.ts";
import { fixed, type Resource } from "../resource.ts";
import { answerIndex } from "./write-reply.ts";
import { requiredBody, writeTarget } from "./write-target.ts";

/** They live below the prefix of nodes and are no nodes. */
export const nodePoolResources: readonly Resource[] = [
  fixed("/v1/node/pools", { GET: list, PUT: upsert, POST: upsert }),
  {
    path: "/v1/node/pool/",
    suffixes: [
      { suffix: "/nodes", methods: { GET: nodes } },
      { suffix: "/jobs", methods: { GET: jobs } },
      { suffix: "", methods: { GET: get, PUT: upsert, POST: upsert, DELETE: remove } },
    ],
  },
];

async function list(exchange: Exchange): Promise<void> {
  const Query = queryOptions(exchange);
  const { NodePools, Meta } = await exchange.services(Query.Region).nodePools.list({ Query }, exchange);
  exchange.meta(Meta);
  return exchange.list("NodePool", NodePools);
}

async function get(exchange: Exchange, Name: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { NodePool, Meta } = await exchange.services(Query.Region).nodePools.get({ Query, Name }, exchange);
  exchange.meta(Meta);
  if (NodePool === undefined) throw new SteppeError("not-found", "node pool not found");
  return exchange.json(toJson("NodePool", NodePool));
}

async function nodes(exchange: Exchange, Name: string): Promise<void> {
  const Query = queryOptions(exchange);
  // It could mean the pool or the nodes.
  if (Query.Prefix !== "") throw new SteppeError("invalid", "prefix argument not allowed");
  const { Nodes, Meta } = await exchange.services(Query.Region).nodePools.nodes({ Query, Name }, exchange);
  exchange.meta(Meta);
  return exchange.list("NodeListStub", Nodes);
}

async function jobs(exchange: Exchange, Name: string): Promise<void> {
  const Query = queryOptions(exchange);
  if (Query.Prefix !== "") throw new SteppeError("invalid", "prefix argument not allowed");
  const { Jobs, Meta } = await exchange.services(Query.Region).nodePools.jobs({ Query, Name }, exchange);
  exchange.meta(Meta);
  return exchange.list("JobListStub", Jobs);
}

/** `name` is the path's; empty when the path names none. */
async function upsert(exchange: Exchange, name: string): Promise<void> {
  const pool = fromJson<NodePool>("NodePool", withTtlInNanoseconds(await requiredBody(exchange)));
  if (name !== "" && pool.Name !== name) {
    throw new SteppeError("invalid", "Node pool name does not match request path");
  }
  const { services, Write } = writeTarget(exchange, "NodePool");
  return answerIndex(exchange, await services.nodePools.upsert({ Write, NodePools: [pool] }, exchange));
}

/** Here the API also takes a text such as "24h". */
function withTtlInNanoseconds(fields: Readonly<Record<string, unknown>>): object {
  const { NodeIdentityTTL: text } = fields;
  if (typeof text !== "string") return fields;
  const NodeIdentityTTL = parseDuration(text);
  if (NodeIdentityTTL === undefined) throw new SteppeError("invalid", `time: invalid duration ${JSON.stringify(text)}`);
  return { ...fields, NodeIdentityTTL };
}

async function remove(exchange: Exchange, name: string): Promise<void> {
  const { services, Write } = writeTarget(exchange, "NodePool");
  return answerIndex(exchange, await services.nodePools.delete({ Write, Names: [name] }, exchange));
}
