import { SteppeError } from "@steppe/model";
import type { WriteOptions } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import type { RegionServices } from "../needs.ts";
import { parseObject, stringField } from "../request/parse-body.ts";
import { firstRegion } from "../request/region.ts";
import { writeOptions } from "../request/write-options.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The body as JSON; without one the write is refused. */
export async function requiredBody(exchange: Exchange): Promise<Fields> {
  const body = await exchange.body();
  if (body.length === 0) throw new SteppeError("invalid", "Request body is empty");
  return parseObject(body);
}

/** The services a write goes to, and what accompanies it. `message` names the body in complaints. */
export function writeTarget(
  exchange: Exchange,
  message: string,
  fields: Fields = {},
): { services: RegionServices; Write: WriteOptions } {
  const { needs, params } = exchange;
  const region = firstRegion(needs, params.region ?? "", stringField(message, fields, "Region"));
  const namespace = params.namespace || stringField(message, fields, "Namespace");
  const secret = stringField(message, fields, "SecretID");
  return { services: exchange.services(region), Write: writeOptions(exchange, { region, namespace, secret }) };
}
