import { fromJson, namesRegions, SteppeError } from "@steppe/model";
import type { Job, JobRegisterRequest } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { parseObject, stringField } from "../request/parse-body.ts";
import { firstRegion, homeOf, resolveRegion } from "../request/region.ts";
import { writeOptions } from "../request/write-options.ts";
import { checkEvalPriority } from "./eval-priority.ts";
import { answerWrite, registerReply } from "./write-reply.ts";

const MESSAGE = "JobRegisterRequest";

/** Registers or updates a job. `id` is the path's; empty when the path names none. */
export async function register(exchange: Exchange, id: string): Promise<void> {
  const body = await exchange.body();
  if (body.length === 0) throw new SteppeError("invalid", "Request body is empty");
  const fields = parseObject(body);
  const request = fromJson<JobRegisterRequest>(MESSAGE, fields, MESSAGE);
  const { Job, ...rest } = request;
  const job = checkJob(Job, id);
  checkEvalPriority(request.EvalPriority);

  const { needs, params } = exchange;
  const asked = { query: params.region ?? "", body: stringField(MESSAGE, fields, "Region"), job: job.Region };
  const region = namesRegions(job)
    ? homeOf(needs, job, asked.query || asked.body)
    : firstRegion(needs, asked.query, asked.body, asked.job);
  const namespace = params.namespace || stringField(MESSAGE, fields, "Namespace") || job.Namespace || "default";
  const secret = stringField(MESSAGE, fields, "SecretID");
  const warnings = namesRegions(job) ? [] : contradiction(exchange, asked.job, region);
  const reply = await exchange.services(region).jobs.register(
    {
      ...rest,
      Write: writeOptions(exchange, { region, namespace, secret }),
      Job: { ...job, Region: region || needs.region, Namespace: namespace },
    },
    exchange,
  );
  return answerWrite(exchange, reply.Index, registerReply(reply, warnings));
}

/** In the API's order, which clients see in which text they get. */
function checkJob(job: Job | undefined, id: string): Job {
  if (job === undefined) throw new SteppeError("invalid", "Job must be specified");
  if (job.ID === "") throw new SteppeError("invalid", "Job ID hasn't been provided");
  if (id !== "" && job.ID !== id) throw new SteppeError("invalid", "Job ID does not match name");
  if (job.Type === "system" && job.TaskGroups.some((group) => group.Scaling !== undefined)) {
    throw new SteppeError("invalid", "Task groups with job type system do not support scaling blocks");
  }
  return job;
}

/** A job that names one region and is sent to another goes where it is sent, and says so. */
function contradiction(exchange: Exchange, named: string, region: string): string[] {
  const { needs } = exchange;
  if (named === "" || resolveRegion(needs, named) === region) return [];
  return [`job names region "${named}" but was registered in region "${region || needs.region}", as the request asked`];
}
