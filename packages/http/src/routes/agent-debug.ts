// A look into the running process: its log, its profiles, its host.
import { SteppeError } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import type { LogLevel } from "../needs.ts";
import { Payload } from "../reply/payload.ts";
import { whole } from "../reply/pieces.ts";
import { parseBool } from "../request/params.ts";
import { fixed, put, type Resource } from "../resource.ts";
import { askAgent } from "./ask-agent.ts";

export const agentDebugResources: readonly Resource[] = [
  fixed("/v1/agent/monitor", { GET: monitor }),
  fixed("/v1/agent/host", { GET: host }),
  fixed("/v1/agent/reload", put(reload)),
  { path: "/v1/agent/pprof/", suffixes: [{ suffix: "", methods: { GET: profile } }] },
];

const LEVELS: Readonly<Record<string, LogLevel>> = {
  TRACE: "trace",
  DEBUG: "debug",
  INFO: "info",
  WARN: "warn",
  ERROR: "error",
};

/** A profile is of seconds, not of hours: it costs what it measures. */
const PROFILE_SECONDS_MAX = 300;

/** The log as it is written, in frames of base64 that clients of the peer unpack, or with `plain` as text. */
async function monitor(exchange: Exchange): Promise<void> {
  const { params } = exchange;
  const asked = params.log_level || "INFO";
  const level = Object.hasOwn(LEVELS, asked.toUpperCase()) ? LEVELS[asked.toUpperCase()] : undefined;
  if (level === undefined) throw new SteppeError("invalid", `Unknown log level: ${asked}`);
  const isJson = flag(exchange, "log_json", "Unknown option for log json");
  const isPlain = flag(exchange, "plain", "Unknown option for plain");
  flag(exchange, "log_include_location", "Unknown option for log_include_location");
  exchange.mayBlock();
  const pieces = askAgent(exchange, { method: "agent.monitor", args: { level, json: isJson } });
  return exchange.pipe(isPlain ? pieces : inFrames(pieces), () => (isPlain ? "text/plain" : "application/json"));
}

async function* inFrames(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for await (const piece of pieces) {
    const data = Buffer.from(piece).toString("base64");
    yield piece.length === 0 ? piece : Buffer.from(`${JSON.stringify({ Data: data })}\n`);
  }
}

async function host(exchange: Exchange): Promise<void> {
  return exchange.json(await textOf(askAgent(exchange, { method: "agent.host", args: {} })));
}

async function reload(exchange: Exchange): Promise<void> {
  await exchange.needs.controls.reload();
  return exchange.empty();
}

/** `profile` of the processor, `heap` of what was allocated, each over `seconds`; `cmdline`. */
async function profile(exchange: Exchange, name: string): Promise<void> {
  if (name === "cmdline") {
    const text = await textOf(askAgent(exchange, { method: "agent.cmdline", args: {} }));
    return exchange.send(200, "text/plain; charset=utf-8", new Payload(text));
  }
  const kind = name === "profile" ? "cpu" : name === "heap" || name === "allocs" ? "heap" : undefined;
  if (kind === undefined) return exchange.text(404, `Unknown profile: ${name}`);
  const given = Number(exchange.params.seconds ?? "1");
  // As in the peer, what is no number is the default.
  const seconds = Number.isInteger(given) && given > 0 ? Math.min(given, PROFILE_SECONDS_MAX) : 1;
  exchange.mayBlock();
  const text = await textOf(askAgent(exchange, { method: "agent.profile", args: { kind, seconds } }));
  const file = kind === "cpu" ? "cpu.cpuprofile" : "heap.heapprofile";
  exchange.header("Content-Disposition", `attachment; filename="${file}"`);
  return exchange.send(200, "application/json", new Payload(text));
}

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  return (await whole(pieces)).toString("utf8");
}

function flag({ params }: Exchange, name: string, refusal: string): boolean {
  const text = params[name] ?? "";
  if (text === "") return false;
  const value = parseBool(text);
  if (value !== undefined) return value;
  throw new SteppeError("invalid", `${refusal}: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}
