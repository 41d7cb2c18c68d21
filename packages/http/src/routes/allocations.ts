import { SteppeError } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import { allocationJson } from "../reply/allocation-json.ts";
import { boolParam } from "../request/params.ts";
import { queryOptions } from "../request/query-options.ts";
import { fixed, put, type Resource } from "../resource.ts";
import { checks } from "./client.ts";
import { servicesOfAllocation } from "./services.ts";
import { answerWrite } from "./write-reply.ts";
import { writeTarget } from "./write-target.ts";

export const allocationResources: readonly Resource[] = [
  fixed("/v1/allocations", { GET: list }),
  {
    path: "/v1/allocation/",
    suffixes: [
      { suffix: "/stop", methods: put(stop) },
      { suffix: "/checks", methods: { GET: checks } },
      { suffix: "/services", methods: { GET: servicesOfAllocation } },
      { suffix: "", methods: { GET: get } },
    ],
  },
];

async function list(exchange: Exchange): Promise<void> {
  const Query = queryOptions(exchange);
  const { allocations } = exchange.services(Query.Region);
  const states = exchange.params.task_states ?? "";
  const OmitTaskStates = states !== "" && !boolParam(exchange.params, "task_states");
  const request = { Query, Resources: boolParam(exchange.params, "resources"), OmitTaskStates };
  const { Allocations, Meta } = await allocations.list(request, exchange);
  exchange.meta(Meta);
  return exchange.list("AllocListStub", Allocations);
}

async function get(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { allocations } = exchange.services(Query.Region);
  const { Allocation, Meta } = await allocations.get({ Query, AllocID: id }, exchange);
  exchange.meta(Meta);
  if (Allocation === undefined) throw new SteppeError("not-found", "alloc not found");
  return exchange.json(allocationJson(Allocation));
}

/** A body is ignored. */
async function stop(exchange: Exchange, AllocID: string): Promise<void> {
  const NoShutdownDelay = boolParam(exchange.params, "no_shutdown_delay");
  const { services, Write } = writeTarget(exchange, "AllocStopRequest");
  const { EvalID, Index } = await services.allocations.stop({ Write, AllocID, NoShutdownDelay }, exchange);
  return answerWrite(exchange, Index, { EvalID, Index });
}
