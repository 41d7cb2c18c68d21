import { SteppeError, toJson } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import { allocationJson } from "../reply/allocation-json.ts";
import { boolParam } from "../request/params.ts";
import { queryOptions } from "../request/query-options.ts";
import { fixed, put, type Resource } from "../resource.ts";
import { nodePoolResources } from "./node-pools.ts";
import { drainNode, evaluateNode, purgeNode, setEligibility } from "./node-writes.ts";

export const nodeResources: readonly Resource[] = [
  fixed("/v1/nodes", { GET: list }),
  // Node pools live below the same prefix and are no nodes.
  ...nodePoolResources,
  {
    path: "/v1/node/",
    suffixes: [
      { suffix: "/allocations", methods: { GET: allocations } },
      { suffix: "/evaluate", methods: put(evaluateNode) },
      { suffix: "/drain", methods: put(drainNode) },
      { suffix: "/eligibility", methods: put(setEligibility) },
      { suffix: "/purge", methods: put(purgeNode) },
      { suffix: "", methods: { GET: get } },
    ],
  },
];

async function list(exchange: Exchange): Promise<void> {
  const Query = queryOptions(exchange);
  const { params } = exchange;
  const request = { Query, Resources: boolParam(params, "resources"), OS: boolParam(params, "os") };
  const { Nodes, Meta } = await exchange.services(Query.Region).nodes.list(request, exchange);
  exchange.meta(Meta);
  return exchange.list("NodeListStub", Nodes);
}

async function get(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { Node, Meta } = await exchange.services(Query.Region).nodes.get({ Query, NodeID: id }, exchange);
  exchange.meta(Meta);
  if (Node === undefined) throw new SteppeError("not-found", "node not found");
  return exchange.json(toJson("Node", Node));
}

async function allocations(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { Allocations, Meta } = await exchange
    .services(Query.Region)
    .nodes.allocations({ Query, NodeID: id }, exchange);
  exchange.meta(Meta);
  return exchange.json(`[${Allocations.map(allocationJson).join(",")}]`);
}
