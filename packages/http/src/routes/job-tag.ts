import { SteppeError } from "@steppe/model";
import { JobTagRequest, type JobTagResponse } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { bareWrite, readWrite } from "../request/write-body.ts";
import { answerWrite, UNFILLED } from "./write-reply.ts";

/** Names a version of a job. */
export async function tagVersion(exchange: Exchange, rest: string): Promise<void> {
  const names = namesOf(rest);
  const { region, request } = await readWrite<JobTagRequest>(exchange, "JobTagRequest");
  return answer(exchange, await exchange.services(region).jobs.tag({ ...request, ...names, Remove: false }, exchange));
}

export async function untagVersion(exchange: Exchange, rest: string): Promise<void> {
  const names = namesOf(rest);
  const { region, Write } = bareWrite(exchange);
  const request = { ...JobTagRequest.create(), Write, ...names, Remove: true };
  return answer(exchange, await exchange.services(region).jobs.tag(request, exchange));
}

/** `<job>/versions/<name>`. */
function namesOf(rest: string): { JobID: string; Name: string } {
  const match = /^(.+)\/versions\/([^/]+)$/s.exec(rest);
  if (match === null) throw new SteppeError("not-found", "invalid job tag endpoint");
  return { JobID: match[1] as string, Name: match[2] as string };
}

function answer(exchange: Exchange, { Name, Description, TaggedTime, Index }: JobTagResponse): void | Promise<void> {
  return answerWrite(exchange, Index, { Name, Description, TaggedTime, Index, ...UNFILLED });
}
