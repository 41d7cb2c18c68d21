import { fromJson, SteppeError, toJson } from "@steppe/model";
import type { Namespace } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { queryOptions } from "../request/query-options.ts";
import { fixed, type Handler, put, type Resource } from "../resource.ts";
import { answerIndex } from "./write-reply.ts";
import { requiredBody, writeTarget } from "./write-target.ts";

export const namespaceResources: readonly Resource[] = [
  fixed("/v1/namespaces", { GET: list }),
  fixed("/v1/namespace", put(upsert)),
  {
    path: "/v1/namespace/",
    suffixes: [
      {
        suffix: "",
        methods: { GET: named(get), ...put(named(upsert)), DELETE: named(remove) },
      },
    ],
  },
];

function named(handler: Handler): Handler {
  return (exchange, name) => {
    if (name === "") throw new SteppeError("invalid", "Missing Namespace Name");
    return handler(exchange, name);
  };
}

async function list(exchange: Exchange): Promise<void> {
  const Query = queryOptions(exchange);
  const { Namespaces, Meta } = await exchange.services(Query.Region).namespaces.list({ Query }, exchange);
  exchange.meta(Meta);
  return exchange.list("Namespace", Namespaces);
}

async function get(exchange: Exchange, Name: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { Namespace, Meta } = await exchange.services(Query.Region).namespaces.get({ Query, Name }, exchange);
  exchange.meta(Meta);
  if (Namespace === undefined) throw new SteppeError("not-found", "Namespace not found");
  return exchange.json(toJson("Namespace", Namespace));
}

/** `name` is the path's; empty when the path names none. */
async function upsert(exchange: Exchange, name: string): Promise<void> {
  const namespace = fromJson<Namespace>("Namespace", await requiredBody(exchange));
  if (name !== "" && namespace.Name !== name) {
    throw new SteppeError("invalid", "Namespace name does not match request path");
  }
  const { services, Write } = writeTarget(exchange, "Namespace");
  return answerIndex(exchange, await services.namespaces.upsert({ Write, Namespaces: [namespace] }, exchange));
}

async function remove(exchange: Exchange, name: string): Promise<void> {
  const { services, Write } = writeTarget(exchange, "Namespace");
  return answerIndex(exchange, await services.namespaces.delete({ Write, Names: [name] }, exchange));
}
