import { SteppeError } from "@steppe/model";
import { JobDispatchRequest, type JobDispatchResponse } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { intParam } from "../request/params.ts";
import { bareWrite, readWrite } from "../request/write-body.ts";
import { answerWrite } from "./write-reply.ts";

/** Starts a child of a parameterized job, as a body says. */
export async function dispatch(exchange: Exchange, id: string): Promise<void> {
  const { region, request } = await readWrite<JobDispatchRequest>(exchange, "JobDispatchRequest");
  if (request.JobID !== "" && request.JobID !== id) throw new SteppeError("invalid", "Job ID does not match");
  const IdempotencyToken = exchange.params.idempotency_token || request.IdempotencyToken;
  const full = { ...request, JobID: id, IdempotencyToken };
  return answer(exchange, await exchange.services(region).jobs.dispatch(full, exchange));
}

/** The same with the whole body, whatever it is, as the payload. */
export async function dispatchPayload(exchange: Exchange, id: string): Promise<void> {
  const { params } = exchange;
  const Payload = await exchange.body();
  const { region, Write } = bareWrite(exchange);
  const request: JobDispatchRequest = {
    ...JobDispatchRequest.create(),
    Write,
    JobID: id,
    IdempotencyToken: params.idempotency_token ?? "",
    IdPrefixTemplate: params.id_prefix_template ?? "",
    Priority: intParam(params, "priority"),
    Payload,
  };
  return answer(exchange, await exchange.services(region).jobs.dispatch(request, exchange));
}

function answer(exchange: Exchange, reply: JobDispatchResponse): void | Promise<void> {
  const { DispatchedJobID, EvalID, EvalCreateIndex, JobCreateIndex, Index } = reply;
  return answerWrite(exchange, Index, { DispatchedJobID, EvalID, EvalCreateIndex, JobCreateIndex, Index });
}
