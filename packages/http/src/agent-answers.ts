// What an agent answers of itself: to requests of its own HTTP API, and to those that servers pass on to it.
import { quote, SteppeError } from "@steppe/model";
import type { AgentControls, LogLevel } from "./needs.ts";
import { logPieces } from "./reply/log-text.ts";

export type AgentArguments = Readonly<Record<string, unknown>>;

type Method = (controls: AgentControls, args: AgentArguments, signal: AbortSignal) => AsyncIterable<Uint8Array>;

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

/** The pieces of the answer. Throws `SteppeError` to refuse, then or at the first piece. */
export function answerOfAgent(
  controls: AgentControls,
  method: string,
  args: AgentArguments,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const answer = METHODS[method];
  if (answer === undefined) throw new SteppeError("refused", `Unknown rpc method: ${quote(method)}`);
  return answer(controls, args, signal);
}

function monitor(controls: AgentControls, args: AgentArguments, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const level = LEVELS.find((it) => it === args.level) ?? "info";
  return logPieces(controls, level, args.json === true, signal);
}

const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error"];

function checkDebug({ debug }: AgentControls): void {
  if (!debug) throw new SteppeError("permission-denied", "Permission denied");
}
