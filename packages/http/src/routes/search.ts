import { fromJson, toJson } from "@steppe/model";
import type { QueryMeta, SearchRequest } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { metaFields } from "../reply/meta.ts";
import { stringField } from "../request/parse-body.ts";
import { queryOptions } from "../request/query-options.ts";
import { firstRegion } from "../request/region.ts";
import { fixed, put, type Resource } from "../resource.ts";
import { requiredBody } from "./write-target.ts";

export const searchResources: readonly Resource[] = [
  fixed(
    "/v1/search",
    put((exchange) => search(exchange, "Prefix")),
  ),
  fixed(
    "/v1/search/fuzzy",
    put((exchange) => search(exchange, "Text")),
  ),
];

/** `field`: what the body calls the text to look for. It may carry what other reads have as parameters. */
async function search(exchange: Exchange, field: "Prefix" | "Text"): Promise<void> {
  const fields = await requiredBody(exchange);
  const { Context } = fromJson<SearchRequest>("SearchRequest", fields);
  const message = "SearchRequest";
  const given = queryOptions(exchange);
  const Query = {
    ...given,
    Region: given.Region || firstRegion(exchange.needs, stringField(message, fields, "Region")),
    Namespace: exchange.params.namespace || stringField(message, fields, "Namespace") || "default",
  };
  const service = exchange.services(Query.Region).search;
  const request = { Query, Text: stringField(message, fields, field), Context };
  if (field === "Prefix") return answer(exchange, "SearchResponse", await service.prefix(request, exchange));
  return answer(exchange, "FuzzySearchResponse", await service.fuzzy(request, exchange));
}

function answer(
  exchange: Exchange,
  message: string,
  reply: { readonly Meta: QueryMeta | undefined },
): void | Promise<void> {
  exchange.meta(reply.Meta);
  // The API shows maps that hold nothing as empty ones here.
  const { Matches, Truncations } = JSON.parse(toJson(message, { ...reply, Meta: undefined }));
  const body = JSON.stringify({ Matches: Matches ?? {}, Truncations: Truncations ?? {} });
  return exchange.json(`${body.slice(0, -1)},${metaFields(reply.Meta)}}`);
}
