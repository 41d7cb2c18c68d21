import type { Exchange } from "../exchange.ts";
import { boolParam, intParam } from "../request/params.ts";
import { resolveRegion } from "../request/region.ts";
import { writeOptions } from "../request/write-options.ts";
import { checkEvalPriority } from "./eval-priority.ts";
import { answerWrite, deregisterReply } from "./write-reply.ts";

/** Stops a job, and with `?purge` forgets it. */
export async function deregister(exchange: Exchange, id: string): Promise<void> {
  const { needs, params } = exchange;
  const Purge = boolParam(params, "purge");
  const Global = boolParam(params, "global");
  // Zero and below mean the job's own, unlike in a registration.
  const EvalPriority = Math.max(intParam(params, "eval_priority"), 0);
  checkEvalPriority(EvalPriority);
  const NoShutdownDelay = boolParam(params, "no_shutdown_delay");
  const region = resolveRegion(needs, params.region ?? "");
  const Write = writeOptions(exchange, { region, namespace: params.namespace ?? "", secret: "" });
  const Regions = Global ? regionsBeside(exchange, region || needs.region) : [];
  const request = { Write, JobID: id, Purge, Global, EvalPriority, NoShutdownDelay, Regions };
  const reply = await exchange.services(region).jobs.deregister(request, exchange);
  return answerWrite(exchange, reply.Index, deregisterReply(reply));
}

/** All regions but one, those that cannot be reached too: the region that is asked sees to it that they stop the job. */
function regionsBeside({ needs }: Exchange, asked: string): string[] {
  const members = needs.members().filter(({ Status }) => Status !== "left");
  const known = new Set([...needs.regions(), ...members.map(({ Region }) => Region)]);
  known.delete(asked);
  return [...known].sort();
}
