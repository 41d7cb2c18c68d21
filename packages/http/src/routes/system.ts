import type { Exchange } from "../exchange.ts";
import { fixed, type Resource } from "../resource.ts";
import { answerIndex } from "./write-reply.ts";
import { writeTarget } from "./write-target.ts";

export const systemResources: readonly Resource[] = [
  fixed("/v1/system/gc", { PUT: collect }),
  fixed("/v1/system/reconcile/summaries", { PUT: reconcile }),
];

/** A body is ignored. */
async function collect(exchange: Exchange): Promise<void> {
  const { services, Write } = writeTarget(exchange, "GenericRequest");
  return answerIndex(exchange, await services.system.garbageCollect({ Write }, exchange));
}

/** A body is ignored. */
async function reconcile(exchange: Exchange): Promise<void> {
  const { services, Write } = writeTarget(exchange, "GenericRequest");
  return answerIndex(exchange, await services.system.reconcileSummaries({ Write }, exchange));
}
