import { formatDuration, fromJson, parseDuration, SteppeError, toJson } from "@steppe/model";
import { Variable, type VariableMetadata, type VariableWriteResponse } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { Payload } from "../reply/payload.ts";
import { objectField, stringField } from "../request/parse-body.ts";
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
  return exchange.json(`[${Variables.map((it) => shown("VariableMetadata", it)).join(",")}]`);
}

async function get(exchange: Exchange, Path: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { Variable, Meta } = await exchange.services(Query.Region).variables.get({ Query, Path }, exchange);
  exchange.meta(Meta);
  if (Variable === undefined) throw new SteppeError("not-found", "variable not found");
  return exchange.json(shown("Variable", Variable));
}

async function put(exchange: Exchange, Path: string): Promise<void> {
  const operations = LOCK_OPERATIONS.filter((it) => exchange.params[`lock-${it}`] !== undefined);
  if (operations.length > 1) throw new SteppeError("invalid", "multiple lock operations");
  const given = { ...(await variableOf(exchange)), Path };
  const [operation] = operations;
  if (operation !== undefined) return lock(exchange, given, operation);
  if (Object.keys(given.Items).length === 0) {
    throw new SteppeError("invalid", "variable missing required Items object");
  }
  return write(exchange, given, false);
}

const LOCK_OPERATIONS = ["acquire", "renew", "release"] as const;

function remove(exchange: Exchange, Path: string): Promise<void> {
  return write(exchange, Variable.create({ Path }), true);
}

/** A body with its lock, whose times are text as `15s`, or nanoseconds. */
async function variableOf(exchange: Exchange): Promise<Variable> {
  const fields = await requiredBody(exchange);
  const name = Object.keys(fields).find((key) => key.toLowerCase() === "lock");
  if (name === undefined || fields[name] === null) return fromJson<Variable>("Variable", { ...fields, Lock: null });
  const { [name]: _lock, ...rest } = fields;
  const lock = objectField("Variable", fields, "Lock");
  const ID = stringField("VariableLock", lock, "ID");
  const Lock = { ID, TTL: durationOf(lock, "TTL"), LockDelay: durationOf(lock, "LockDelay"), Expires: 0 };
  return { ...fromJson<Variable>("Variable", rest), Lock };
}

function durationOf(lock: Readonly<Record<string, unknown>>, name: string): number {
  const value = Object.entries(lock).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1] ?? 0;
  const duration = typeof value === "string" ? (value === "" ? 0 : parseDuration(value)) : value;
  if (typeof duration === "number" && Number.isSafeInteger(duration)) return duration;
  throw new SteppeError("invalid", `time: invalid duration ${JSON.stringify(value)}`);
}

async function lock(exchange: Exchange, given: Variable, Operation: string): Promise<void> {
  const { services, Write } = writeTarget(exchange, "Variable");
  return answer(
    exchange,
    await services.variables.lock({ Write, Variable: given, Operation, ...cas(exchange) }, exchange),
  );
}

/** With `?cas=` only where the variable's ModifyIndex is that number; else 409 with the one that is there. */
async function write(exchange: Exchange, given: Variable, Delete: boolean): Promise<void> {
  const { services, Write } = writeTarget(exchange, "Variable");
  const reply = await services.variables.write({ Write, Variable: given, Delete, ...cas(exchange) }, exchange);
  if (!Delete || reply.Conflict) return answer(exchange, reply);
  exchange.header("X-Nomad-Index", String(reply.Index));
  return exchange.send(204, "application/json", new Payload(""));
}

function answer(exchange: Exchange, { Variable: now, Conflict, Index }: VariableWriteResponse): void | Promise<void> {
  exchange.header("X-Nomad-Index", String(Conflict ? (now?.ModifyIndex ?? 0) : Index));
  const body = now === undefined ? "null" : shown("Variable", now);
  return Conflict ? exchange.send(409, "application/json", new Payload(body)) : exchange.json(body);
}

/** The lock's times are text in the API; when it ends is no part of it. */
function shown(message: "Variable" | "VariableMetadata", variable: Variable | VariableMetadata): string {
  const { Lock, ...rest } = variable;
  const { LockDelayUntil: _until, Lock: _lock, ...fields } = JSON.parse(toJson(message, { ...rest, Lock: undefined }));
  if (Lock === undefined) return JSON.stringify(fields);
  const times = { TTL: formatDuration(Lock.TTL), LockDelay: formatDuration(Lock.LockDelay) };
  return JSON.stringify({ ...fields, Lock: { ...(Lock.ID !== "" && { ID: Lock.ID }), ...times } });
}

function cas({ params }: Exchange): { CheckIndex: boolean; ModifyIndex: number } {
  const text = params.cas ?? "";
  return { CheckIndex: text !== "", ModifyIndex: casOf(text) };
}

function casOf(text: string): number {
  if (text === "") return 0;
  if (/^\d+$/.test(text) && Number(text) < 2 ** 64) return Number(text);
  const cause = `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw new SteppeError("invalid", `can not parse cas: ${cause}`);
}
