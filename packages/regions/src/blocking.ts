// How long a request may be held by the server that answers it, beside the time its work takes.
import { MILLISECOND } from "@steppe/model";
import type { QueryOptions } from "@steppe/proto";

const WAIT_DEFAULT_MS = 5 * 60_000;
const WAIT_MAX_MS = 10 * 60_000;

/** Milliseconds that a blocking read may be held, with the answering server's jitter of up to 1/16; else 0. */
export function blockingMs(query: QueryOptions | undefined): number {
  if (query === undefined || query.MinQueryIndex === 0) return 0;
  const asked = query.MaxQueryTime > 0 ? query.MaxQueryTime / MILLISECOND : WAIT_DEFAULT_MS;
  return (Math.min(asked, WAIT_MAX_MS) * 17) / 16;
}

/** `QueryOptions` of a request, if it is a read that has them. */
export function queryOf(request: object): QueryOptions | undefined {
  return (request as { Query?: QueryOptions }).Query;
}
