import { listToJson, SteppeError } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import { allocationJson } from "../reply/allocation-json.ts";
import { queryOptions } from "../request/query-options.ts";
import { fixed, type Resource, unserved } from "../resource.ts";

export const allocationResources: readonly Resource[] = [
  fixed("/v1/allocations", { GET: list }),
  {
    path: "/v1/allocation/",
    suffixes: [...unserved("/stop", "/services", "/checks"), { suffix: "", methods: { GET: get } }],
  },
];

async function list(exchange: Exchange): Promise<void> {
  const Query = queryOptions(exchange);
  const { Allocations, Meta } = await exchange.services(Query.Region).allocations.list({ Query }, exchange);
  exchange.meta(Meta);
  return exchange.json(listToJson("AllocListStub", Allocations));
}

async function get(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { allocations } = exchange.services(Query.Region);
  const { Allocation, Meta } = await allocations.get({ Query, AllocID: id }, exchange);
  exchange.meta(Meta);
  if (Allocation === undefined) throw new SteppeError("not-found", "alloc not found");
  return exchange.json(allocationJson(Allocation));
}
