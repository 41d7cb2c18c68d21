// What others ask of this agent, by the name that servers pass on: its log, its host, its profiles.
import { type AgentControls, logPieces } from "@steppe/http";
import { quote, SteppeError } from "@steppe/model";

type Fields = Readonly<Record<string, unknown>>;
type LogLevel = Parameters<AgentControls["monitor"]>[0];

/** The pieces of the answer. Throws `SteppeError` to refuse. `args`: JSON. */
export type AgentAnswerer = (method: string, args: string, signal: AbortSignal) => AsyncIterable<Uint8Array>;

type Method = (controls: AgentControls, args: Fields, signal: AbortSignal) => AsyncIterable<Uint8Array>;

const METHODS: Readonly<Record<string, Method>> = {
  "agent.monitor": monitor,
  "agent.host": async function* (controls) {
    checkDebug(controls);
    yield Buffer.from(JSON.stringify(await controls.host()));
  },
  "agent.cmdline": async function* (controls) {
    checkDebug(controls);
    yield Buffer.from(controls.commandLine);
  },
  "agent.profile": async function* (controls, { kind, seconds }, signal) {
    checkDebug(controls);
    yield Buffer.from(await controls.profile(kind === "cpu" ? "cpu" : "heap", Number(seconds) || 1, signal));
  },
};

export function createAgentAnswerer(controls: () => AgentControls): AgentAnswerer {
  return (method, args, signal) => {
    const answer = METHODS[method];
    if (answer === undefined) throw new SteppeError("refused", `Unknown rpc method: ${quote(method)}`);
    return answer(controls(), argumentsOf(args), signal);
  };
}

function argumentsOf(text: string): Fields {
  const value: unknown = text === "" ? {} : JSON.parse(text);
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function monitor(controls: AgentControls, args: Fields, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const level = LEVELS.find((it) => it === args.level) ?? "info";
  return logPieces(controls, level, args.json === true, signal);
}

const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error"];

function checkDebug({ debug }: AgentControls): void {
  if (!debug) throw new SteppeError("permission-denied", "Permission denied");
}
