import { fromJson, SteppeError, toJson } from "@steppe/model";
import { PreemptionConfig, type SchedulerConfiguration } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { parseObject } from "../request/parse-body.ts";
import { queryOptions } from "../request/query-options.ts";
import { resolveRegion } from "../request/region.ts";
import { writeOptions } from "../request/write-options.ts";
import { fixed, type Resource } from "../resource.ts";
import { answerWrite } from "./write-reply.ts";

const MESSAGE = "SchedulerConfiguration";

export const operatorResources: readonly Resource[] = [
  fixed("/v1/operator/scheduler/configuration", { GET: get, PUT: set, POST: set }),
];

async function get(exchange: Exchange): Promise<void> {
  const Query = queryOptions(exchange);
  const { operator } = exchange.services(Query.Region);
  const { SchedulerConfig, Meta } = await operator.getSchedulerConfiguration({ Query }, exchange);
  exchange.meta(Meta);
  const config = toJson(MESSAGE, SchedulerConfig ?? {});
  const index = Meta?.Index ?? 0;
  const contact = Math.floor((Meta?.LastContact ?? 0) / 1e6);
  const meta = `"Index":${index},"LastContact":${contact},"KnownLeader":${Meta?.KnownLeader ?? false},"NextToken":""`;
  return exchange.json(`{"SchedulerConfig":${config},${meta}}`);
}

/** With `?cas=` only where the configuration's ModifyIndex is that number; `Updated` says whether it was. */
async function set(exchange: Exchange): Promise<void> {
  const body = await exchange.body();
  if (body.length === 0) throw new SteppeError("invalid", "Request body is empty");
  const Config = fromJson<SchedulerConfiguration>(MESSAGE, parseObject(body), MESSAGE);
  Config.PreemptionConfig ??= PreemptionConfig.create();
  const { params, needs } = exchange;
  const region = resolveRegion(needs, params.region ?? "");
  const Write = writeOptions(exchange, { region, namespace: "", secret: "" });
  const { operator } = exchange.services(region);
  const request = { Write, Config, CheckIndex: params.cas !== undefined, ModifyIndex: casOf(params.cas) };
  const { Updated, Index } = await operator.setSchedulerConfiguration(request, exchange);
  return answerWrite(exchange, Index, { Updated, Index });
}

export function casOf(text: string | undefined): number {
  if (text === undefined) return 0;
  if (/^\d+$/.test(text) && Number(text) < 2 ** 64) return Number(text);
  throw new SteppeError("invalid", `Error parsing cas value: ${JSON.stringify(text)} is not an index`);
}
