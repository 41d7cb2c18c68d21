import { SteppeError, toJson } from "@steppe/model";
import type { JobScaleRequest } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { queryOptions } from "../request/query-options.ts";
import { readWrite } from "../request/write-body.ts";
import { answerWrite, registerReply } from "./write-reply.ts";

export async function scaleStatus(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { jobs } = exchange.services(Query.Region);
  const { JobScaleStatus, Meta } = await jobs.scaleStatus({ Query, JobID: id }, exchange);
  exchange.meta(Meta);
  if (JobScaleStatus === undefined) throw new SteppeError("not-found", "job not found");
  return exchange.json(toJson("JobScaleStatus", JobScaleStatus));
}

/** Sets the count of a group, or notes an event. */
export async function scale(exchange: Exchange, id: string): Promise<void> {
  const { region, request } = await readWrite<JobScaleRequest>(exchange, "JobScaleRequest");
  const reply = await exchange.services(region).jobs.scale({ ...request, JobID: id }, exchange);
  return answerWrite(exchange, reply.Index, registerReply(reply, []));
}
