import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from "node:http2";
import { requestHeaders, statusError } from "./call-headers.ts";
import { FrameReader, frame } from "./frames.ts";
import type { GrpcMethod } from "./grpc-definition.ts";
import type { Link } from "./link.ts";
import { TransportFailure } from "./transport-failure.ts";

/** The answers to one request, as they come; the server is held back while the consumer is busy. */
export async function* serverStream<Request, Response>(
  method: GrpcMethod<Request, Response>,
  request: Request,
  signal: AbortSignal,
  connected: () => Promise<Link>,
): AsyncGenerator<Response, void> {
  signal.throwIfAborted();
  const link = await connected();
  signal.throwIfAborted();
  const { stream, status } = open(link, method, request);
  const abort = () => stream.close(constants.NGHTTP2_CANCEL);
  signal.addEventListener("abort", abort);
  try {
    const reader = new FrameReader();
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      link.heard();
      reader.push(chunk);
      for (let bytes = reader.shift(); bytes !== undefined; bytes = reader.shift()) yield method.decodeResponse(bytes);
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (status.headers === undefined) throw lost(cause);
    if (statusError(status.headers) === undefined) throw cause;
  } finally {
    signal.removeEventListener("abort", abort);
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  }
  signal.throwIfAborted();
  if (status.headers === undefined) throw lost(undefined);
  const error = statusError(status.headers);
  if (error !== undefined) throw error;
}

function open<Request>(link: Link, method: GrpcMethod<Request>, request: Request) {
  const status: { headers?: IncomingHttpHeaders } = {};
  let stream: ClientHttp2Stream;
  try {
    stream = link.session.request(requestHeaders(method.path, Number.POSITIVE_INFINITY));
  } catch (cause) {
    throw lost(cause);
  }
  stream.on("response", (headers) => {
    link.heard();
    if (headers["grpc-status"] !== undefined || headers[":status"] !== 200) status.headers = headers;
  });
  stream.on("trailers", (trailers) => {
    status.headers = trailers;
  });
  stream.end(frame(method.encodeRequest(request)));
  return { stream, status };
}

function lost(cause: unknown): TransportFailure {
  return new TransportFailure("lost", "the stream was cut", { reached: true, silent: false, cause });
}
