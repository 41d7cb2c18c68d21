import type { Exchange } from "../exchange.ts";
import { resolveRegion } from "../request/region.ts";
import { writeOptions } from "../request/write-options.ts";
import { answerWrite, forceReply } from "./write-reply.ts";

/** Launches a periodic job now. A body is ignored. */
export async function forcePeriodic(exchange: Exchange, id: string): Promise<void> {
  const { needs, params } = exchange;
  const region = resolveRegion(needs, params.region ?? "");
  const Write = writeOptions(exchange, { region, namespace: params.namespace ?? "", secret: "" });
  const reply = await exchange.services(region).jobs.periodicForce({ Write, JobID: id }, exchange);
  return answerWrite(exchange, reply.Index, forceReply(reply));
}
