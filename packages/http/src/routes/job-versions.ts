import { SteppeError } from "@steppe/model";
import type { JobRevertRequest, JobStabilityRequest, WriteOptions } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { readWrite } from "../request/write-body.ts";
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
  const write = await readWrite<T>(exchange, message);
  if (write.request.JobID === "") throw new SteppeError("invalid", "JobID must be specified");
  if (write.request.JobID !== id) throw new SteppeError("invalid", "Job ID does not match");
  return write;
}
