// What is asked of node agents: passed to the one that the allocation or node is on, from whichever region.
import { randomUUID } from "node:crypto";
import { SteppeError } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import { dataOf, whole } from "../reply/pieces.ts";
import { parseBool } from "../request/params.ts";
import { boolField, mapField, objectField, parseObject, stringField } from "../request/parse-body.ts";
import { queryOptions } from "../request/query-options.ts";
import { firstRegion } from "../request/region.ts";
import { fixed, type Handler, type Methods, put, type Resource } from "../resource.ts";
import { answerEmpty } from "./write-reply.ts";
import { requiredBody } from "./write-target.ts";

type Fields = Readonly<Record<string, unknown>>;

interface Call {
  readonly method: string;
  readonly node?: string;
  readonly alloc?: string;
  readonly args?: object;
  readonly body?: Fields;
}

const files = (name: string, handler: Handler): Resource => ({
  path: `/v1/client/fs/${name}/`,
  suffixes: [{ suffix: "", methods: { GET: ofAllocation(handler) } }],
});

/** Those that ask for a websocket never come here: see terminal-calls.ts. */
export const notUpgraded: Handler = () => {
  const cause = "websocket: the client is not using the websocket protocol";
  throw new SteppeError("invalid", `failed to upgrade connection: ${cause}`);
};

const any = (handler: Handler): Methods => ({ GET: handler, PUT: handler, POST: handler, DELETE: handler });

export const clientResources: readonly Resource[] = [
  files("ls", (exchange, id) =>
    json(exchange, { method: "fs.ls", alloc: id, args: { path: exchange.params.path || "/" } }),
  ),
  files("stat", (exchange, id) => json(exchange, { method: "fs.stat", alloc: id, args: { path: fileName(exchange) } })),
  files("readat", readAt),
  files("cat", (exchange, id) => bytes(exchange, { method: "fs.read", alloc: id, args: { path: fileName(exchange) } })),
  files("stream", stream),
  files("logs", logs),
  fixed(
    "/v1/client/stats",
    any((exchange) => json(exchange, { method: "node.stats", node: nodeOf(exchange) })),
  ),
  fixed(
    "/v1/client/gc",
    any((exchange) => nothing(exchange, { method: "node.gc", node: nodeOf(exchange) })),
  ),
  fixed("/v1/client/metadata", { GET: metadata, POST: setMetadata, PUT: setMetadata }),
  {
    path: "/v1/client/allocation/",
    suffixes: [
      { suffix: "/stats", methods: any(stats) },
      { suffix: "/checks", methods: { GET: checks } },
      { suffix: "/restart", methods: any(restart) },
      { suffix: "/signal", methods: put(signal) },
      { suffix: "/gc", methods: any((exchange, id) => nothing(exchange, { method: "alloc.gc", alloc: id })) },
      { suffix: "/exec", methods: { GET: notUpgraded } },
      { suffix: "/pause", methods: { GET: pause, ...put(pause) } },
      { suffix: "", methods: any((exchange) => exchange.text(404, "resource not found")) },
    ],
  },
];

function ofAllocation(handler: Handler): Handler {
  return (exchange, id) => {
    if (id === "") throw new SteppeError("invalid", "must provide a valid alloc id");
    return handler(exchange, id);
  };
}

function fileName(exchange: Exchange): string {
  const { path } = exchange.params;
  if (path === undefined || path === "") throw new SteppeError("invalid", "must provide a file name");
  return path;
}

/** The node asked for; without one, this agent's own. */
function nodeOf(exchange: Exchange, body?: Fields): string {
  const asked =
    exchange.params.node_id || (body === undefined ? "" : stringField("NodeMetaApplyRequest", body, "NodeID"));
  const node = asked || exchange.needs.nodeId();
  if (node === "") throw new SteppeError("invalid", "No local Node and node_id not provided");
  return node;
}

function readAt(exchange: Exchange, id: string): Promise<void> {
  const path = fileName(exchange);
  const { params } = exchange;
  const args = { path, offset: position(params.offset ?? "", "offset"), limit: position(params.limit || "0", "limit") };
  return bytes(exchange, { method: "fs.read", alloc: id, args });
}

function stream(exchange: Exchange, id: string): Promise<void> {
  const path = fileName(exchange);
  const args = { path, ...streamArguments(exchange), follow: flag(exchange, "follow", true), plain: false };
  return pipe(exchange, { method: "fs.stream", alloc: id, args }, () => "application/json");
}

function logs(exchange: Exchange, id: string): Promise<void> {
  const { task = "", type = "" } = exchange.params;
  if (task === "") throw new SteppeError("invalid", "must provide task name");
  const [follow, plain] = [flag(exchange, "follow", false), flag(exchange, "plain", false)];
  if (type !== "stdout" && type !== "stderr") {
    throw new SteppeError("invalid", "must provide log type (stdout/stderr)");
  }
  const args = { task, type, follow, plain, ...streamArguments(exchange) };
  return pipe(exchange, { method: "fs.logs", alloc: id, args }, () => (plain ? PLAIN_TEXT : "application/json"));
}

function streamArguments({ params }: Exchange): object {
  const { origin = "", offset = "" } = params;
  if (origin !== "" && origin !== "start" && origin !== "end") {
    throw new SteppeError("invalid", "origin must be start or end");
  }
  return { origin: origin || "start", offset: position(offset || "0", "offset") };
}

function position(text: string, name: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  const cause = `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw new SteppeError("invalid", `error parsing ${name}: ${cause}`);
}

function flag({ params }: Exchange, name: string, otherwise: boolean): boolean {
  const text = params[name] ?? "";
  if (text === "") return otherwise;
  const value = parseBool(text);
  if (value !== undefined) return value;
  const cause = `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw new SteppeError("invalid", `failed to parse ${name} field to boolean: ${cause}`);
}

function stats(exchange: Exchange, id: string): Promise<void> {
  return json(exchange, { method: "alloc.stats", alloc: id, args: { task: exchange.params.task ?? "" } });
}

/** Schedules of tasks are of the paid edition; a node of the open one says so. */
function pause(exchange: Exchange, id: string): Promise<void> {
  return json(exchange, { method: "alloc.pause", alloc: id });
}

/** Also below /v1/allocation. */
export function checks(exchange: Exchange, id: string): Promise<void> {
  return json(exchange, { method: "alloc.checks", alloc: id });
}

async function restart(exchange: Exchange, id: string): Promise<void> {
  const message = "AllocRestartRequest";
  const body = await optionalBody(exchange);
  const args = { task: stringField(message, body, "TaskName"), all: boolField(message, body, "AllTasks") };
  await whole(open(exchange, { method: "alloc.restart", alloc: id, args, body }));
  return exchange.json(DONE);
}

async function signal(exchange: Exchange, id: string): Promise<void> {
  const message = "AllocSignalRequest";
  const body = await signalBody(exchange);
  const args = { signal: stringField(message, body, "Signal"), task: stringField(message, body, "Task") };
  await whole(open(exchange, { method: "alloc.signal", alloc: id, args, body }));
  return exchange.json(DONE);
}

/** The API embeds a write's index and never fills it in. */
const DONE = JSON.stringify({ Index: 0 });

function metadata(exchange: Exchange): Promise<void> {
  return json(exchange, { method: "node.metadata", node: nodeOf(exchange) });
}

async function setMetadata(exchange: Exchange): Promise<void> {
  const message = "NodeMetaApplyRequest";
  const body = await optionalBody(exchange);
  const given = objectField(message, body, "Meta");
  const removed = Object.entries(given).filter(([, value]) => value === null);
  const kept = mapField(
    message,
    { Meta: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) },
    "Meta",
  );
  const meta = { ...kept, ...Object.fromEntries(removed) };
  if (Object.keys(meta).length === 0) throw new SteppeError("invalid", "missing required Meta object");
  return json(exchange, { method: "node.set-metadata", node: nodeOf(exchange, body), args: { meta }, body });
}

/** Without one, which signal was meant would be a guess. */
async function signalBody(exchange: Exchange): Promise<Fields> {
  try {
    return await requiredBody(exchange);
  } catch (error) {
    if (!(error instanceof SteppeError) || error.code !== "invalid") throw error;
    throw new SteppeError("invalid", `Failed to decode body: ${error.message}`, { cause: error });
  }
}

async function optionalBody(exchange: Exchange): Promise<Fields> {
  const body = await exchange.body();
  return body.length === 0 ? {} : parseObject(body);
}

async function nothing(exchange: Exchange, call: Call): Promise<void> {
  await whole(open(exchange, call));
  return answerEmpty(exchange);
}

async function json(exchange: Exchange, call: Call): Promise<void> {
  return exchange.json((await whole(open(exchange, call))).toString("utf8"));
}

function bytes(exchange: Exchange, call: Call): Promise<void> {
  return pipe(exchange, call, (first) => (first.includes(0) ? "application/octet-stream" : PLAIN_TEXT));
}

const PLAIN_TEXT = "text/plain; charset=utf-8";

/** The answer as it comes. A failure before its first piece has a status; a later one cuts the reply. */
async function pipe(exchange: Exchange, call: Call, typeOf: (first: Uint8Array) => string): Promise<void> {
  exchange.mayBlock();
  return exchange.pipe(open(exchange, call), typeOf);
}

function open(
  exchange: Exchange,
  { method, node = "", alloc = "", args = {}, body = {} }: Call,
): AsyncIterable<Uint8Array> {
  const given = queryOptions(exchange);
  const Region = given.Region || firstRegion(exchange.needs, stringField("QueryOptions", body, "Region"));
  const Query = { ...given, Region };
  const names = { CallID: randomUUID(), NodeID: node, AllocID: alloc };
  const request = { Query, ...names, Method: method, Arguments: JSON.stringify(args), Local: false };
  return dataOf(exchange.services(Region).clientCalls.open(request, exchange));
}
