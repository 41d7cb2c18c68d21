import { fromJson, SteppeError } from "@steppe/model";
import type { DrainSpec, NodeWriteResponse } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { parseBool } from "../request/params.ts";
import { boolField, mapField, objectField, parseObject, stringField } from "../request/parse-body.ts";
import { firstRegion } from "../request/region.ts";
import { writeOptions } from "../request/write-options.ts";
import { answerWrite, UNFILLED } from "./write-reply.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Begins a drain, or ends one when no DrainSpec is given. Clients before 0.8 say `?enable=` and send no body. */
export async function drainNode(exchange: Exchange, id: string): Promise<void> {
  const message = "NodeUpdateDrainRequest";
  const { enable = "" } = exchange.params;
  const fields = enable === "" ? await bodyOf(exchange) : { DrainSpec: olderSpec(enable) };
  const given = objectOrUndefined(message, fields, "DrainSpec");
  const { services, Write } = target(exchange, message, fields);
  const request = {
    Write,
    NodeID: id,
    DrainSpec: given && fromJson<DrainSpec>("DrainSpec", given, `${message}.DrainSpec`),
    MarkEligible: boolField(message, fields, "MarkEligible"),
    Meta: mapField(message, fields, "Meta"),
  };
  return answer(exchange, await services.nodes.drain(request, exchange));
}

/** The older drain stopped everything at once. */
function olderSpec(enable: string): Fields | null {
  const enabled = parseBool(enable);
  if (enabled === undefined) throw new SteppeError("invalid", "invalid enable value");
  return enabled ? { Deadline: -1e9 } : null;
}

export async function setEligibility(exchange: Exchange, id: string): Promise<void> {
  const message = "NodeUpdateEligibilityRequest";
  const fields = await bodyOf(exchange);
  const { services, Write } = target(exchange, message, fields);
  const Eligibility = stringField(message, fields, "Eligibility");
  return answer(exchange, await services.nodes.eligibility({ Write, NodeID: id, Eligibility }, exchange));
}

/** Makes the jobs that the node concerns look at it again. A body is ignored. */
export async function evaluateNode(exchange: Exchange, id: string): Promise<void> {
  const { services, Write } = target(exchange, "NodeEvaluateRequest", {});
  return answer(exchange, await services.nodes.evaluate({ Write, NodeID: id }, exchange));
}

/** Forgets a node; what ran there is lost. A body is ignored. */
export async function purgeNode(exchange: Exchange, id: string): Promise<void> {
  const { services, Write } = target(exchange, "NodeDeregisterRequest", {});
  return answer(exchange, await services.nodes.purge({ Write, NodeID: id }, exchange));
}

async function bodyOf(exchange: Exchange): Promise<Fields> {
  const body = await exchange.body();
  if (body.length === 0) throw new SteppeError("invalid", "Request body is empty");
  return parseObject(body);
}

function objectOrUndefined(message: string, fields: Fields, name: string): Fields | undefined {
  const isGiven = Object.keys(fields).some((key) => key.toLowerCase() === name.toLowerCase() && fields[key] !== null);
  return isGiven ? objectField(message, fields, name) : undefined;
}

function target(exchange: Exchange, message: string, fields: Fields) {
  const { needs, params } = exchange;
  const region = firstRegion(needs, params.region ?? "", stringField(message, fields, "Region"));
  const secret = stringField(message, fields, "SecretID");
  return { services: exchange.services(region), Write: writeOptions(exchange, { region, namespace: "", secret }) };
}

function answer(exchange: Exchange, reply: NodeWriteResponse): void | Promise<void> {
  const { EvalIDs, EvalCreateIndex, NodeModifyIndex, Index } = reply;
  const evalIds = EvalIDs.length === 0 ? null : EvalIDs;
  return answerWrite(exchange, Index, { EvalIDs: evalIds, EvalCreateIndex, NodeModifyIndex, Index, ...UNFILLED });
}
