import { SteppeError } from "@steppe/model";
import type { JobDeregisterRequest } from "@steppe/proto";
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
  const request = { Write, JobID: id, Purge, Global, EvalPriority, NoShutdownDelay };
  const reply = await exchange.services(region).jobs.deregister(request, exchange);
  if (Global) await deregisterElsewhere(exchange, request, region);
  return answerWrite(exchange, reply.Index, deregisterReply(reply));
}

/** The same in all other regions, those that cannot be reached too: the answer must not pass over them. */
async function deregisterElsewhere(exchange: Exchange, request: JobDeregisterRequest, done: string): Promise<void> {
  const { needs } = exchange;
  const known = new Set([...needs.regions(), ...needs.members().map(({ Region }) => Region)]);
  const others = [...known].map((name) => resolveRegion(needs, name)).filter((name) => name !== done);
  const failures = await Promise.all(
    others.map(async (name) => {
      try {
        const Write = request.Write && { ...request.Write, Region: name };
        await exchange.services(name).jobs.deregister({ ...request, Write }, exchange);
        return "";
      } catch (error) {
        if (!(error instanceof SteppeError)) throw error;
        return `${name || needs.region}: ${error.message}`;
      }
    }),
  );
  const failed = failures.filter((text) => text !== "").sort();
  if (failed.length === 0) return;
  throw new SteppeError("refused", `the job is stopped, but not in every region; try again: ${failed.join("; ")}`);
}
