import { MINUTE, parseDuration, SteppeError } from "@steppe/model";
import type { QueryOptions } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { type Params, parseBool } from "./params.ts";
import { resolveRegion } from "./region.ts";

const MAX_UINT64 = 2 ** 64;
const MAX_INT32 = 2 ** 31 - 1;
/** Longer waits are cut to this; jitter comes on top, where the wait is held. */
const MAX_WAIT = 10 * MINUTE;

/** How a read is to be answered, from its query parameters. Throws `invalid` with the API's texts. */
export function queryOptions(exchange: Exchange): QueryOptions {
  const { params, needs } = exchange;
  // In this order: the API reports a bad wait before a bad index.
  const consistent = params.consistent !== undefined;
  const stale = isStale(params);
  const wait = waitOf(params);
  const index = indexOf(params);
  const options: QueryOptions = {
    Region: resolveRegion(needs, params.region ?? ""),
    Namespace: params.namespace || "default",
    Prefix: params.prefix ?? "",
    MinQueryIndex: index,
    MaxQueryTime: wait,
    // Asked for both, the stricter one holds.
    AllowStale: stale && !consistent,
    Consistent: consistent,
    AuthToken: exchange.token,
    Filter: params.filter ?? "",
    PerPage: perPageOf(params),
    NextToken: params.next_token ?? "",
    Reverse: params.reverse === "true",
    Forwarded: false,
  };
  if (index > 0) exchange.mayBlock();
  return options;
}

function isStale(params: Params): boolean {
  const text = params.stale;
  if (text === undefined) return false;
  if (text === "") return true;
  const value = parseBool(text);
  if (value !== undefined) return value;
  throw new SteppeError("invalid", "Expect `true` or `false` for `stale` query string parameter");
}

/** Nanoseconds; 0 = the default, which negative times mean as well. */
function waitOf(params: Params): number {
  const text = params.wait ?? "";
  if (text === "") return 0;
  const wait = parseDuration(text);
  if (wait === undefined) throw new SteppeError("invalid", "Invalid wait time");
  return Math.min(Math.max(wait, 0), MAX_WAIT);
}

function indexOf(params: Params): number {
  const text = params.index ?? "";
  if (text === "") return 0;
  const index = /^\d+$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  if (index >= MAX_UINT64) throw new SteppeError("invalid", "Invalid index");
  return index;
}

function perPageOf(params: Params): number {
  const text = params.per_page ?? "";
  if (text === "") return 0;
  const perPage = /^[+-]?\d+$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  if (Math.abs(perPage) <= MAX_INT32) return perPage;
  throw new SteppeError("invalid", "Expect a number for `per_page` query string parameter");
}
