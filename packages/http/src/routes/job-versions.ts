import { fromJson, SteppeError } from "@steppe/model";
import type { JobRevertRequest, JobStabilityRequest, WriteOptions } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { parseObject, stringField } from "../request/parse-body.ts";
import { firstRegion } from "../request/region.ts";
import { writeOptions } from "../request/write-options.ts";
import { answerWrite, registerReply } from "./write-reply.ts";

/** Registers an older version of a job again. */
export async function revert(exchange: Exchange, id: string): Promise<void> {
  const { region, request } = await read<JobRevertRequest>(exchange, id, "JobRevertRequest");
  const reply = await exchange.services(region).jobs.revert(request, exchange);
  return answerWrite(exchange, reply.Index, registerReply(reply, []));
}

/** Says whether a version is one to go back to. */
export async function markStable(exchange: Exchange, id: string): Promise<void> {
  const { region, request } = await read<JobStabilityRequest>(exchange, id, "JobStabilityRequest");
  const { Index } = await exchange.services(region).jobs.stable(request, exchange);
  return answerWrite(exchange, Index, { Index });
}

/** The body names the job of the path. */
async function read<T extends { readonly JobID: string; readonly Write: WriteOptions | undefined }>(
  exchange: Exchange,
  id: string,
  message: string,
): Promise<{ region: string; request: T }> {
  const body = await exchange.body();
  if (body.length === 0) throw new SteppeError("invalid", "Request body is empty");
  const fields = parseObject(body);
  const request = fromJson<T>(message, fields, message);
  if (request.JobID === "") throw new SteppeError("invalid", "JobID must be specified");
  if (request.JobID !== id) throw new SteppeError("invalid", "Job ID does not match");
  const { needs, params } = exchange;
  const region = firstRegion(needs, params.region ?? "", stringField(message, fields, "Region"));
  const namespace = params.namespace || stringField(message, fields, "Namespace");
  const Write = writeOptions(exchange, { region, namespace, secret: stringField(message, fields, "SecretID") });
  return { region, request: { ...request, Write } };
}
