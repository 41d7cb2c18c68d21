import { fromJson, SteppeError } from "@steppe/model";
import type { WriteOptions } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { parseObject, stringField } from "./parse-body.ts";
import { firstRegion } from "./region.ts";
import { writeOptions } from "./write-options.ts";

/**
 * A write that a body describes: a message of the contract, beside which the body may name region,
 * namespace and token. Throws `invalid` for an empty body, unless one may be missing.
 */
export async function readWrite<T extends { readonly Write: WriteOptions | undefined }>(
  exchange: Exchange,
  message: string,
  mayBeMissing = false,
): Promise<{ region: string; request: T }> {
  const body = await exchange.body();
  if (body.length === 0 && !mayBeMissing) throw new SteppeError("invalid", "Request body is empty");
  const fields = body.length === 0 ? {} : parseObject(body);
  const request = fromJson<T>(message, fields, message);
  const { needs, params } = exchange;
  const region = firstRegion(needs, params.region ?? "", stringField(message, fields, "Region"));
  const namespace = params.namespace || stringField(message, fields, "Namespace");
  const Write = writeOptions(exchange, { region, namespace, secret: stringField(message, fields, "SecretID") });
  return { region, request: { ...request, Write } };
}

/** The options of a write without a body. */
export function bareWrite(exchange: Exchange): { region: string; Write: WriteOptions } {
  const { needs, params } = exchange;
  const region = firstRegion(needs, params.region ?? "");
  return { region, Write: writeOptions(exchange, { region, namespace: params.namespace ?? "", secret: "" }) };
}
