import { boolParam } from "../request/params.ts";
import { queryOptions } from "../request/query-options.ts";
import { fixed, put } from "../resource.ts";
import { register } from "./register.ts";

export const jobsResource = fixed("/v1/jobs", {
  GET: async (exchange) => {
    const Query = queryOptions(exchange);
    const wantsMeta = boolParam(exchange.params, "meta");
    const { Jobs, Meta } = await exchange.services(Query.Region).jobs.list({ Query, Meta: wantsMeta }, exchange);
    exchange.meta(Meta);
    return exchange.list("JobListStub", Jobs);
  },
  ...put((exchange) => register(exchange, "")),
});
