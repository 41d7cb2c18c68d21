import { listToJson, SteppeError, toJson } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import { queryOptions } from "../request/query-options.ts";
import { fixed, type Resource } from "../resource.ts";

export const evaluationResources: readonly Resource[] = [
  fixed("/v1/evaluations", { GET: list }),
  {
    path: "/v1/evaluation/",
    suffixes: [
      { suffix: "/allocations", methods: { GET: allocations } },
      { suffix: "", methods: { GET: get } },
    ],
  },
];

async function list(exchange: Exchange): Promise<void> {
  const Query = queryOptions(exchange);
  const request = { Query, JobID: exchange.params.job ?? "", Status: exchange.params.status ?? "" };
  const { Evaluations, Meta } = await exchange.services(Query.Region).evaluations.list(request, exchange);
  exchange.meta(Meta);
  return exchange.json(listToJson("Evaluation", Evaluations));
}

async function get(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { evaluations } = exchange.services(Query.Region);
  const { Evaluation, Meta } = await evaluations.get({ Query, EvalID: id }, exchange);
  exchange.meta(Meta);
  if (Evaluation === undefined) throw new SteppeError("not-found", "eval not found");
  return exchange.json(toJson("Evaluation", Evaluation));
}

async function allocations(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { evaluations } = exchange.services(Query.Region);
  const { Allocations, Meta } = await evaluations.allocations({ Query, EvalID: id }, exchange);
  exchange.meta(Meta);
  return exchange.json(listToJson("AllocListStub", Allocations));
}
