import type { JobRegisterResponse } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { Payload } from "../reply/payload.ts";

// The API embeds a read's meta data in the answers to writes and never fills it in.
export const UNFILLED = { LastContact: 0, KnownLeader: false, NextToken: "" };

export function answerWrite(exchange: Exchange, index: number, reply: object): void | Promise<void> {
  exchange.header("X-Nomad-Index", String(index));
  return exchange.json(JSON.stringify(reply));
}

export function answerEmpty(exchange: Exchange): void | Promise<void> {
  return exchange.send(200, "application/json", EMPTY);
}

/** Of writes that tell nothing but when they took effect: no body. */
export function answerIndex(exchange: Exchange, { Index }: { readonly Index: number }): void | Promise<void> {
  exchange.header("X-Nomad-Index", String(Index));
  return answerEmpty(exchange);
}

const EMPTY = new Payload("");

/** Of register and evaluate. */
export function registerReply(reply: JobRegisterResponse, warnings: readonly string[]): object {
  const { EvalID, EvalCreateIndex, JobModifyIndex, Index } = reply;
  const Warnings = warningsText([...warnings, ...reply.Warnings]);
  return { EvalID, EvalCreateIndex, JobModifyIndex, Warnings, Index, ...UNFILLED };
}

export function deregisterReply(reply: JobRegisterResponse): object {
  const { EvalID, EvalCreateIndex, JobModifyIndex, Index } = reply;
  // The API has no place for them here; they come only where a stop of all regions has not reached all.
  const late = reply.Warnings.length === 0 ? {} : { Warnings: warningsText(reply.Warnings) };
  const volumes = { VolumeEvalID: "", VolumeEvalIndex: 0 };
  return { EvalID, EvalCreateIndex, JobModifyIndex, ...volumes, Index, ...UNFILLED, ...late };
}

export function forceReply({ EvalID, EvalCreateIndex, Index }: JobRegisterResponse): object {
  return { EvalID, EvalCreateIndex, Index };
}

/** One text, as the API shows them: a count and a bullet each. */
export function warningsText(warnings: readonly string[]): string {
  if (warnings.length === 0) return "";
  const count = warnings.length === 1 ? "1 warning" : `${warnings.length} warnings`;
  return `${count}:\n\n${warnings.map((warning) => `* ${warning.trim()}`).join("\n")}`;
}
