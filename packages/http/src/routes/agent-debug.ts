// A look into the running process: its log, its profiles, its host.
import { SteppeError } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import type { LogLevel } from "../needs.ts";
import { logPieces } from "../reply/log-text.ts";
import { Payload } from "../reply/payload.ts";
import { parseBool } from "../request/params.ts";
import { fixed, put, type Resource } from "../resource.ts";
import { askAgent, wholeText } from "./ask-agent.ts";

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
  const call = { method: "agent.monitor", args: { level, json: isJson } };
  const pieces = askAgent(exchange, call, () => logPieces(exchange.needs.controls, level, isJson, exchange.signal))[
    Symbol.asyncIterator
  ]();
  // Until the first piece is there, a failure is an answer of its own.
  const first = await pieces.next();
  const reply = exchange.stream(isPlain ? "text/plain" : "application/json");
  try {
    for (let next = first; next.done !== true && !exchange.isHead; next = await pieces.next()) {
      if (next.value.length === 0) continue;
      const data = Buffer.from(next.value);
      await reply.write(isPlain ? data : `${JSON.stringify({ Data: data.toString("base64") })}\n`);
    }
    reply.end();
  } catch (error) {
    exchange.abandon(error);
  } finally {
    await pieces.return?.();
  }
}

async function host(exchange: Exchange): Promise<void> {
  const pieces = askAgent(exchange, { method: "agent.host", args: {} }, async function* () {
    checkDebug(exchange);
    yield Buffer.from(JSON.stringify(await exchange.needs.controls.host()));
  });
  return exchange.json(await wholeText(pieces));
}

async function reload(exchange: Exchange): Promise<void> {
  await exchange.needs.controls.reload();
  return exchange.empty();
}

/** `profile` of the processor, `heap` of what was allocated, each over `seconds`; `cmdline`. */
async function profile(exchange: Exchange, name: string): Promise<void> {
  const { controls } = exchange.needs;
  if (name === "cmdline") {
    const pieces = askAgent(exchange, { method: "agent.cmdline", args: {} }, async function* () {
      checkDebug(exchange);
      yield Buffer.from(controls.commandLine);
    });
    return exchange.send(200, "text/plain; charset=utf-8", new Payload(await wholeText(pieces)));
  }
  const kind = name === "profile" ? "cpu" : name === "heap" || name === "allocs" ? "heap" : undefined;
  if (kind === undefined) return exchange.text(404, `Unknown profile: ${name}`);
  const given = Number(exchange.params.seconds ?? "1");
  // As in the peer, what is no number is the default.
  const seconds = Number.isInteger(given) && given > 0 ? Math.min(given, PROFILE_SECONDS_MAX) : 1;
  exchange.mayBlock();
  const pieces = askAgent(exchange, { method: "agent.profile", args: { kind, seconds } }, async function* () {
    checkDebug(exchange);
    yield Buffer.from(await controls.profile(kind, seconds, exchange.signal));
  });
  const text = await wholeText(pieces);
  const file = kind === "cpu" ? "cpu.cpuprofile" : "heap.heapprofile";
  exchange.header("Content-Disposition", `attachment; filename="${file}"`);
  return exchange.send(200, "application/json", new Payload(text));
}

function checkDebug({ needs }: Exchange): void {
  if (!needs.controls.debug) throw new SteppeError("permission-denied", "Permission denied");
}

function flag({ params }: Exchange, name: string, refusal: string): boolean {
  const text = params[name] ?? "";
  if (text === "") return false;
  const value = parseBool(text);
  if (value !== undefined) return value;
  throw new SteppeError("invalid", `${refusal}: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}
