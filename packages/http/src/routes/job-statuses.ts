import { fromJson, SteppeError } from "@steppe/model";
import { type JobStatusesAlloc, type JobStatusesJob, JobStatusesRequest } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { boolParam } from "../request/params.ts";
import { parseObject } from "../request/parse-body.ts";
import { queryOptions } from "../request/query-options.ts";
import { fixed } from "../resource.ts";

const MESSAGE = "JobStatusesRequest";

/** Jobs as a dashboard shows them: all of a namespace, or with POST those that a body names. */
export const jobStatusesResource = fixed("/v1/jobs/statuses", {
  GET: (exchange) => answer(exchange, JobStatusesRequest.create()),
  POST: async (exchange) => {
    const body = await exchange.body();
    if (body.length === 0) throw new SteppeError("invalid", "Request body is empty");
    return answer(exchange, fromJson<JobStatusesRequest>(MESSAGE, parseObject(body), MESSAGE));
  },
});

async function answer(exchange: Exchange, request: JobStatusesRequest): Promise<void> {
  const Query = queryOptions(exchange);
  const IncludeChildren = boolParam(exchange.params, "include_children") || request.IncludeChildren;
  const { jobs } = exchange.services(Query.Region);
  const { Jobs, Meta } = await jobs.statuses({ ...request, Query, IncludeChildren }, exchange);
  exchange.meta(Meta);
  return exchange.listOf(Jobs, (some) => JSON.stringify(some.map(statusJson)));
}

/** A job that launches others has a list of their statuses, even when it is empty, and no allocations. */
function statusJson({ HasChildren, ChildStatuses, Allocs, LatestDeployment, ...job }: JobStatusesJob): object {
  return {
    ...job,
    Allocs: Allocs.length === 0 ? null : Allocs.map(allocJson),
    ChildStatuses: HasChildren ? ChildStatuses : null,
    LatestDeployment: LatestDeployment ?? null,
  };
}

function allocJson({ Canary, Healthy, ...allocation }: JobStatusesAlloc): object {
  return { ...allocation, DeploymentStatus: { Canary, Healthy: Healthy ?? null } };
}
