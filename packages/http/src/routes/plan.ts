import { fromJson, namesRegions, SteppeError, toJson } from "@steppe/model";
import type { Job, JobPlanRequest, JobPlanResponse } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { parseObject, stringField } from "../request/parse-body.ts";
import { firstRegion, homeOf } from "../request/region.ts";
import { writeOptions } from "../request/write-options.ts";
import { warningsText } from "./write-reply.ts";

const MESSAGE = "JobPlanRequest";

/** Tells what a registration would do, and does none of it. */
export async function plan(exchange: Exchange, id: string): Promise<void> {
  const body = await exchange.body();
  if (body.length === 0) throw new SteppeError("invalid", "Request body is empty");
  const fields = parseObject(body);
  const request = fromJson<JobPlanRequest>(MESSAGE, fields, MESSAGE);
  const job = checkJob(request.Job, id);
  const { needs, params } = exchange;
  const asked = params.region || stringField(MESSAGE, fields, "Region");
  const region = namesRegions(job) ? homeOf(needs, job, asked) : firstRegion(needs, asked, job.Region);
  const namespace = params.namespace || stringField(MESSAGE, fields, "Namespace") || job.Namespace || "default";
  const secret = stringField(MESSAGE, fields, "SecretID");
  const reply = await exchange.services(region).jobs.plan(
    {
      ...request,
      Write: writeOptions(exchange, { region, namespace, secret }),
      Job: { ...job, Region: region || needs.region, Namespace: namespace },
    },
    exchange,
  );
  exchange.header("X-Nomad-Index", String(reply.Index));
  return exchange.json(planJson(reply));
}

/** In the API's order, which clients see in which text they get. */
function checkJob(job: Job | undefined, id: string): Job {
  if (job === undefined) throw new SteppeError("invalid", "Job must be specified");
  if (job.ID === "") throw new SteppeError("invalid", "Job must have a valid ID");
  if (id !== "" && job.ID !== id) throw new SteppeError("invalid", "Job ID does not match");
  return job;
}

/** The API shows warnings as one text. */
function planJson(reply: JobPlanResponse): string {
  const text = toJson("JobPlanResponse", { ...reply, Warnings: [] });
  return text.replace('"Warnings":null', () => `"Warnings":${JSON.stringify(warningsText(reply.Warnings))}`);
}
