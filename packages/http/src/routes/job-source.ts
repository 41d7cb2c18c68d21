import { SteppeError, toJson } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import { queryOptions } from "../request/query-options.ts";

/** The text that a version of a job was made from. */
export async function submission(exchange: Exchange, id: string): Promise<void> {
  const text = exchange.params.version ?? "";
  const Version = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(Version)) {
    throw new SteppeError("invalid", "Unable to parse job submission version parameter");
  }
  const Query = queryOptions(exchange);
  const { jobs } = exchange.services(Query.Region);
  const { Submission, Meta } = await jobs.submission({ Query, JobID: id, Version }, exchange);
  exchange.meta(Meta);
  if (Submission === undefined) throw new SteppeError("not-found", "job source not found");
  return exchange.json(toJson("JobSubmission", Submission));
}

export async function actions(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { Found, Actions, Meta } = await exchange.services(Query.Region).jobs.actions({ Query, JobID: id }, exchange);
  exchange.meta(Meta);
  if (!Found) throw new SteppeError("not-found", `Unknown job ${JSON.stringify(id)}`);
  return exchange.list("JobAction", Actions);
}
