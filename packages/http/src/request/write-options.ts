import type { WriteOptions } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { requestId } from "./credentials.ts";

/** What accompanies a write, once its body is read. Without an `Idempotency-Key` the request ID stays empty: the router makes one. */
export function writeOptions(
  exchange: Exchange,
  target: { region: string; namespace: string; secret: string },
): WriteOptions {
  const key = requestId(exchange.headers);
  return {
    Region: target.region,
    Namespace: target.namespace || "default",
    AuthToken: exchange.token || target.secret,
    RequestID: key,
    Fingerprint: key === "" ? "" : exchange.fingerprint(),
    Forwarded: false,
  };
}
