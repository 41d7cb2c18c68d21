import { canonicalizeJob, fromJson, SteppeError } from "@steppe/model";
import type { Job, JobsParseRequest } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { jobJson } from "../reply/job-payload.ts";
import { parseObject } from "../request/parse-body.ts";
import { fixed, put } from "../resource.ts";

const MESSAGE = "JobsParseRequest";

/** Turns a job file into a job. Done by this agent, whatever region the job is for. */
export const parseJobResource = fixed("/v1/jobs/parse", put(parse));

async function parse(exchange: Exchange): Promise<void> {
  const body = await exchange.body();
  if (body.length === 0) throw new SteppeError("invalid", "Request body is empty");
  const request = fromJson<JobsParseRequest>(MESSAGE, parseObject(body), MESSAGE);
  if (request.JobHCL === "") throw new SteppeError("invalid", "Job spec is empty");
  if (request.HCLv1) {
    throw new SteppeError("invalid", "Failed to parse job: HCL version 1 is not supported; write the job in HCL2");
  }
  const job = parsed(exchange, request);
  if (!request.Canonicalize) return exchange.json(withNulls(job));
  // As the API's own clients fill it in: `global` stands for whatever region it is sent to.
  canonicalizeJob(job, { region: "global" });
  return exchange.json(jobJson(job));
}

function parsed({ needs }: Exchange, { JobHCL, Variables }: JobsParseRequest): Job {
  try {
    return needs.parseJob(JobHCL, Variables);
  } catch (error) {
    if (!(error instanceof SteppeError)) throw error;
    throw new SteppeError("invalid", `Failed to parse job: ${error.message}`, { cause: error });
  }
}

/** What a job file does not set is null to the API's clients, who fill it in themselves. */
function withNulls(job: Job): string {
  const fields = Object.entries(JSON.parse(jobJson(job)) as Record<string, unknown>);
  return JSON.stringify(Object.fromEntries(fields.map(([name, value]) => [name, isUnset(value) ? null : value])));
}

function isUnset(value: unknown): boolean {
  return value === "" || value === 0 || value === false;
}
