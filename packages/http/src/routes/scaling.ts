import { SteppeError, toJson } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import { queryOptions } from "../request/query-options.ts";
import { fixed, type Resource } from "../resource.ts";

export const scalingResources: readonly Resource[] = [
  fixed("/v1/scaling/policies", { GET: list }),
  { path: "/v1/scaling/policy/", suffixes: [{ suffix: "", methods: { GET: policy } }] },
];

async function list(exchange: Exchange): Promise<void> {
  const { job = "", type = "" } = exchange.params;
  const Query = queryOptions(exchange);
  const { scaling } = exchange.services(Query.Region);
  const { Policies, Meta } = await scaling.list({ Query, Job: job, Type: type }, exchange);
  exchange.meta(Meta);
  return exchange.list("ScalingPolicyListStub", Policies);
}

async function policy(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { Policy, Meta } = await exchange.services(Query.Region).scaling.get({ Query, ID: id }, exchange);
  exchange.meta(Meta);
  if (Policy === undefined) throw new SteppeError("not-found", "policy not found");
  return exchange.json(toJson("ScalingPolicy", Policy));
}
