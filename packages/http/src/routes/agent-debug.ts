// A look into the running process: its log, its profiles, its host.
import { formatTime, SteppeError } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import type { LogLevel, LogLine } from "../needs.ts";
import { Payload } from "../reply/payload.ts";
import { parseBool } from "../request/params.ts";
import { fixed, put, type Resource } from "../resource.ts";

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
  const { params, needs } = exchange;
  const asked = params.log_level || "INFO";
  const level = Object.hasOwn(LEVELS, asked.toUpperCase()) ? LEVELS[asked.toUpperCase()] : undefined;
  if (level === undefined) throw new SteppeError("invalid", `Unknown log level: ${asked}`);
  const isJson = flag(exchange, "log_json", "Unknown option for log json");
  const isPlain = flag(exchange, "plain", "Unknown option for plain");
  flag(exchange, "log_include_location", "Unknown option for log_include_location");
  checkTarget(exchange);
  exchange.mayBlock();
  const lines = needs.controls.monitor(level, exchange.signal)[Symbol.asyncIterator]();
  const reply = exchange.stream(isPlain ? "text/plain" : "application/json");
  try {
    while (!exchange.isHead) {
      const { done, value } = await lines.next();
      if (done === true) break;
      const text = isJson ? jsonLine(value) : textLine(value);
      await reply.write(isPlain ? text : `${JSON.stringify({ Data: Buffer.from(text).toString("base64") })}\n`);
    }
  } finally {
    await lines.return?.();
    reply.end();
  }
}

/** Only of this agent: another one is asked at its own address. */
function checkTarget({ params, needs }: Exchange): void {
  const { node_id: node = "", server_id: server = "" } = params;
  if (node !== "" && server !== "") {
    throw new SteppeError("invalid", "Cannot target node and server simultaneously");
  }
  const { controls, name } = needs;
  const isOwn = server === "" || server === name || server === controls.server()?.id;
  if (!isOwn || (node !== "" && node !== controls.client()?.nodeId)) {
    throw new SteppeError("invalid", `this agent is not ${server || node}: ask that one at its own address`);
  }
}

function jsonLine({ time, level, message, fields }: LogLine): string {
  const head = { "@level": level, "@message": message, "@timestamp": formatTime(time) };
  return `${JSON.stringify({ ...head, ...fields })}\n`;
}

function textLine({ time, level, message, fields }: LogLine): string {
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${valueText(value)}`);
  const shown = `[${level.toUpperCase()}]`.padEnd(7);
  return `${formatTime(time)} ${shown} ${message}${pairs.length === 0 ? "" : `: ${pairs.join(" ")}`}\n`;
}

function valueText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text === undefined || /[\s"=]/.test(text) ? JSON.stringify(text ?? null) : text;
}

async function host(exchange: Exchange): Promise<void> {
  checkDebug(exchange);
  return exchange.json(JSON.stringify(await exchange.needs.controls.host()));
}

async function reload(exchange: Exchange): Promise<void> {
  await exchange.needs.controls.reload();
  return exchange.empty();
}

/** `profile` of the processor, `heap` of what was allocated, each over `seconds`; `cmdline`. */
async function profile(exchange: Exchange, name: string): Promise<void> {
  checkDebug(exchange);
  checkTarget(exchange);
  const { controls } = exchange.needs;
  if (name === "cmdline") return exchange.send(200, "text/plain; charset=utf-8", new Payload(controls.commandLine));
  const kind = name === "profile" ? "cpu" : name === "heap" || name === "allocs" ? "heap" : undefined;
  if (kind === undefined) return exchange.text(404, `Unknown profile: ${name}`);
  const given = Number(exchange.params.seconds ?? "1");
  // As in the peer, what is no number is the default.
  const seconds = Number.isInteger(given) && given > 0 ? Math.min(given, PROFILE_SECONDS_MAX) : 1;
  exchange.mayBlock();
  const text = await controls.profile(kind, seconds, exchange.signal);
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
