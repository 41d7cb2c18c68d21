// The headers that open a call over HTTP/2, and what those that close it tell.
import type { IncomingHttpHeaders } from "node:http2";
import { CODE_TRAILER, decodeError, decodeMessage } from "./grpc-errors.ts";
import { TransportFailure } from "./transport-failure.ts";

/** `timeoutMs` Infinity: the server sets no limit. */
export function requestHeaders(path: string, timeoutMs: number): Record<string, string> {
  const headers: Record<string, string> = {
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  };
  if (timeoutMs !== Number.POSITIVE_INFINITY) headers["grpc-timeout"] = `${Math.max(1, Math.ceil(timeoutMs))}m`;
  return headers;
}

/** The failure that the closing headers of a call tell of, if any. */
export function statusError(headers: IncomingHttpHeaders): Error | undefined {
  const status = headers["grpc-status"];
  if (status === "0") return undefined;
  if (status === undefined) {
    const message = `not a gRPC server: HTTP status ${headers[":status"]}`;
    return new TransportFailure("lost", message, { reached: true, silent: true });
  }
  const message = decodeMessage(String(headers["grpc-message"] ?? ""));
  const code = headers[CODE_TRAILER];
  return decodeError({ status: Number(status), message, ...(typeof code === "string" && { code }) });
}
