import { fromJson, SteppeError, toJson } from "@steppe/model";
import type { EvaluationDeleteRequest } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { metaFields } from "../reply/meta.ts";
import { queryOptions } from "../request/query-options.ts";
import { fixed, type Resource } from "../resource.ts";
import { answerWrite } from "./write-reply.ts";
import { requiredBody, writeTarget } from "./write-target.ts";

export const evaluationResources: readonly Resource[] = [
  fixed("/v1/evaluations", { GET: list, DELETE: remove }),
  fixed("/v1/evaluations/count", { GET: count }),
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
  return exchange.list("Evaluation", Evaluations);
}

async function count(exchange: Exchange): Promise<void> {
  const Query = queryOptions(exchange);
  const request = { Query, JobID: "", Status: "" };
  const { Count, Meta } = await exchange.services(Query.Region).evaluations.count(request, exchange);
  exchange.meta(Meta);
  return exchange.json(`{"Count":${Count},${metaFields(Meta)}}`);
}

async function remove(exchange: Exchange): Promise<void> {
  const message = "EvaluationDeleteRequest";
  const fields = await requiredBody(exchange);
  const { EvalIDs, Filter } = fromJson<EvaluationDeleteRequest>(message, fields, "EvalDeleteRequest");
  const { services, Write } = writeTarget(exchange, message, fields);
  const { Count, Index } = await services.evaluations.delete({ Write, EvalIDs, Filter }, exchange);
  return answerWrite(exchange, Index, { Count, Index });
}

async function get(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { evaluations } = exchange.services(Query.Region);
  const Related = exchange.params.related === "true";
  const { Evaluation, Meta } = await evaluations.get({ Query, EvalID: id, Related }, exchange);
  exchange.meta(Meta);
  if (Evaluation === undefined) throw new SteppeError("not-found", "eval not found");
  return exchange.json(toJson("Evaluation", Evaluation));
}

async function allocations(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { evaluations } = exchange.services(Query.Region);
  const { Allocations, Meta } = await evaluations.allocations({ Query, EvalID: id, Related: false }, exchange);
  exchange.meta(Meta);
  return exchange.list("AllocListStub", Allocations);
}
