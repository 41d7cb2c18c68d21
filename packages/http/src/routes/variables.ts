import { fromJson, SteppeError, toJson } from "@steppe/model";
import { Variable } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { Payload } from "../reply/payload.ts";
import { queryOptions } from "../request/query-options.ts";
import { fixed, type Handler, type Resource } from "../resource.ts";
import { requiredBody, writeTarget } from "./write-target.ts";

export const variableResources: readonly Resource[] = [
  fixed("/v1/vars", { GET: list }),
  {
    path: "/v1/var/",
    suffixes: [{ suffix: "", methods: { GET: at(get), PUT: at(put), POST: at(put), DELETE: at(remove) } }],
  },
];

function at(handler: Handler): Handler {
  return (exchange, path) => {
    if (path === "") throw new SteppeError("invalid", "missing variable path");
    return handler(exchange, path);
  };
}

async function list(exchange: Exchange): Promise<void> {
  const Query = queryOptions(exchange);
  const { Variables, Meta } = await exchange.services(Query.Region).variables.list({ Query }, exchange);
  exchange.meta(Meta);
  return exchange.list("VariableMetadata", Variables);
}

async function get(exchange: Exchange, Path: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { Variable, Meta } = await exchange.services(Query.Region).variables.get({ Query, Path }, exchange);
  exchange.meta(Meta);
  if (Variable === undefined) throw new SteppeError("not-found", "variable not found");
  return exchange.json(toJson("Variable", Variable));
}

async function put(exchange: Exchange, Path: string): Promise<void> {
  const fields = await requiredBody(exchange);
  const given = fromJson<Variable>("Variable", fields);
  if (Object.keys(given.Items).length === 0) {
    throw new SteppeError("invalid", "variable missing required Items object");
  }
  return write(exchange, { ...given, Path }, false);
}

function remove(exchange: Exchange, Path: string): Promise<void> {
  return write(exchange, Variable.create({ Path }), true);
}

/** With `?cas=` only where the variable's ModifyIndex is that number; else 409 with the one that is there. */
async function write(exchange: Exchange, given: Variable, Delete: boolean): Promise<void> {
  const cas = exchange.params.cas ?? "";
  const { services, Write } = writeTarget(exchange, "Variable");
  const request = { Write, Variable: given, Delete, CheckIndex: cas !== "", ModifyIndex: casOf(cas) };
  const { Variable: now, Conflict, Index } = await services.variables.write(request, exchange);
  exchange.header("X-Nomad-Index", String(Conflict ? (now?.ModifyIndex ?? 0) : Index));
  const body = now === undefined ? "null" : toJson("Variable", now);
  if (Conflict) return exchange.send(409, "application/json", new Payload(body));
  if (Delete) return exchange.send(204, "application/json", new Payload(""));
  return exchange.json(body);
}

function casOf(text: string): number {
  if (text === "") return 0;
  if (/^\d+$/.test(text) && Number(text) < 2 ** 64) return Number(text);
  const cause = `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw new SteppeError("invalid", `can not parse cas: ${cause}`);
}
