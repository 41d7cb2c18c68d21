import { fromJson, SteppeError } from "@steppe/model";
import type { JobValidateRequest } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { parseObject, stringField } from "../request/parse-body.ts";
import { firstRegion } from "../request/region.ts";
import { writeOptions } from "../request/write-options.ts";
import { fixed, put } from "../resource.ts";
import { warningsText } from "./write-reply.ts";

const MESSAGE = "JobValidateRequest";

/** Tells what is wrong with a job, and registers nothing. */
export const validateJobResource = fixed("/v1/validate/job", put(validate));

async function validate(exchange: Exchange): Promise<void> {
  const body = await exchange.body();
  if (body.length === 0) throw new SteppeError("invalid", "Request body is empty");
  const fields = parseObject(body);
  const { Job: job } = fromJson<JobValidateRequest>(MESSAGE, fields, MESSAGE);
  if (job === undefined) throw new SteppeError("invalid", "Job must be specified");
  const { needs, params } = exchange;
  const region = firstRegion(needs, params.region ?? "", stringField(MESSAGE, fields, "Region"), job.Region);
  const namespace = params.namespace || stringField(MESSAGE, fields, "Namespace") || job.Namespace;
  const Write = writeOptions(exchange, { region, namespace, secret: stringField(MESSAGE, fields, "SecretID") });
  const Job = { ...job, Region: region || needs.region };
  const reply = await exchange.services(region).jobs.validate({ Write, Job }, exchange);
  const ValidationErrors = reply.ValidationErrors.length === 0 ? null : reply.ValidationErrors;
  return exchange.json(JSON.stringify({ ...reply, ValidationErrors, Warnings: warningsText(reply.Warnings) }));
}
