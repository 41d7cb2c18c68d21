import { listToJson } from "@steppe/model";
import { queryOptions } from "../request/query-options.ts";
import { fixed } from "../resource.ts";
import { register } from "./register.ts";

export const jobsResource = fixed("/v1/jobs", {
  GET: async (exchange) => {
    const Query = queryOptions(exchange);
    const { Jobs, Meta } = await exchange.services(Query.Region).jobs.list({ Query }, exchange);
    exchange.meta(Meta);
    return exchange.json(listToJson("JobListStub", Jobs));
  },
  PUT: (exchange) => register(exchange, ""),
  POST: (exchange) => register(exchange, ""),
});
