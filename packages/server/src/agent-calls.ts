// What others ask of this agent, by the name that servers pass on.
import { type AgentArguments, type AgentControls, answerOfAgent } from "@steppe/http";

/** The pieces of the answer. Throws `SteppeError` to refuse. `args`: JSON. */
export type AgentAnswerer = (method: string, args: string, signal: AbortSignal) => AsyncIterable<Uint8Array>;

export function createAgentAnswerer(controls: () => AgentControls): AgentAnswerer {
  return (method, args, signal) => answerOfAgent(controls(), method, argumentsOf(args), signal);
}

function argumentsOf(text: string): AgentArguments {
  const value: unknown = text === "" ? {} : JSON.parse(text);
  return typeof value === "object" && value !== null ? (value as AgentArguments) : {};
}
