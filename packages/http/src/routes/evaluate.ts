import { SteppeError } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import { boolField, objectField, parseObject, stringField } from "../request/parse-body.ts";
import { firstRegion } from "../request/region.ts";
import { writeOptions } from "../request/write-options.ts";
import { answerWrite, registerReply } from "./write-reply.ts";

const MESSAGE = "JobEvaluateRequest";

/** Makes a new evaluation of a job. The body is optional: clients before 0.9 send none. */
export async function evaluate(exchange: Exchange, id: string): Promise<void> {
  const body = await exchange.body();
  const fields = body.length === 0 ? { JobID: id } : parseObject(body);
  const jobId = stringField(MESSAGE, fields, "JobID");
  if (body.length > 0 && jobId === "") throw new SteppeError("invalid", "Job ID must be specified");
  if (id !== "" && jobId !== id) throw new SteppeError("invalid", "JobID not same as job name");
  const evalOptions = objectField(MESSAGE, fields, "EvalOptions");

  const { needs, params } = exchange;
  const region = firstRegion(needs, params.region ?? "", stringField(MESSAGE, fields, "Region"));
  const namespace = params.namespace || stringField(MESSAGE, fields, "Namespace");
  const secret = stringField(MESSAGE, fields, "SecretID");
  const reply = await exchange.services(region).jobs.evaluate(
    {
      Write: writeOptions(exchange, { region, namespace, secret }),
      JobID: jobId,
      ForceReschedule: boolField(`${MESSAGE}.EvalOptions`, evalOptions, "ForceReschedule"),
    },
    exchange,
  );
  return answerWrite(exchange, reply.Index, registerReply(reply, []));
}
