// One unary call from request to answer, over node's own HTTP/2: half the time of grpc-js's
// client (docs: packages/regions/bench/forward.ts), and it knows whether the request was sent.
import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from "node:http2";
import { SteppeError } from "@steppe/model";
import { FrameReader, frame, MESSAGE_BYTES_MAX, PREFIX_BYTES } from "./frames.ts";
import type { GrpcMethod } from "./grpc-definition.ts";
import { CODE_TRAILER, decodeError, decodeMessage } from "./grpc-errors.ts";
import type { Link } from "./link.ts";
import type { Pending } from "./pending.ts";
import { TransportFailure } from "./transport-failure.ts";

export interface UnaryOptions {
  readonly signal: AbortSignal;
  /** Until the answer must be there, connecting included. */
  readonly timeoutMs: number;
}

/** A server that did not stir for this long of a call is to be avoided, even if no ping has run out yet. */
const SILENT_AFTER_MS = 1_900;

export interface UnarySettled {
  resolve(answer: unknown): void;
  reject(error: unknown): void;
  /** Called once, before either. */
  done(call: UnaryCall): void;
}

export class UnaryCall implements Pending {
  readonly deadlineMs: number;
  link: Link | undefined;
  #method: GrpcMethod;
  #body: Buffer;
  #signal: AbortSignal;
  #settled: UnarySettled;
  #finished = false;
  #startedMs: number;
  #stream: ClientHttp2Stream | undefined;
  #status: IncomingHttpHeaders | undefined;
  #reader = new FrameReader();
  #abort = () => this.#finish(() => this.#settled.reject(this.#signal.reason), constants.NGHTTP2_CANCEL);

  constructor(method: GrpcMethod, request: unknown, options: UnaryOptions, startedMs: number, settled: UnarySettled) {
    this.deadlineMs = startedMs + options.timeoutMs;
    this.#method = method;
    this.#body = frame(method.encodeRequest(request));
    this.#signal = options.signal;
    this.#settled = settled;
    this.#startedMs = startedMs;
    this.#signal.addEventListener("abort", this.#abort);
  }

  start(link: Link): void {
    const stream = this.#open(link);
    if (stream === undefined) return;
    stream.on("response", (headers) => {
      link.heard();
      if (headers["grpc-status"] !== undefined || headers[":status"] !== 200) this.#status = headers;
    });
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    stream.on("trailers", (trailers) => {
      this.#status = trailers;
    });
    stream.on("end", () => this.#answer());
    stream.on("error", () => this.#lose());
    stream.on("close", () => this.#lose());
  }

  fail(failure: TransportFailure): void {
    this.#finish(() => this.#settled.reject(failure), constants.NGHTTP2_CANCEL);
  }

  expire(nowMs: number): void {
    const heard = this.link !== undefined && this.link.heardMs >= this.#startedMs;
    const silent = !heard && nowMs - this.#startedMs >= SILENT_AFTER_MS;
    this.fail(new TransportFailure("deadline", "no answer in time", { reached: this.link !== undefined, silent }));
  }

  #open(link: Link): ClientHttp2Stream | undefined {
    try {
      this.#stream = link.session.request(requestHeaders(this.#method.path, this.deadlineMs - this.#startedMs));
    } catch (cause) {
      // The session closed between the check and the request.
      this.fail(new TransportFailure("lost", "connection closed", { reached: false, silent: false, cause }));
      return undefined;
    }
    this.link = link;
    this.#stream.end(this.#body);
    return this.#stream;
  }

  #take(chunk: Buffer): void {
    this.#reader.push(chunk);
    if (this.#reader.bytes <= PREFIX_BYTES + MESSAGE_BYTES_MAX) return;
    const error = new SteppeError("too-large", `the answer has more than ${MESSAGE_BYTES_MAX} bytes`);
    this.#finish(() => this.#settled.reject(error), constants.NGHTTP2_CANCEL);
  }

  #answer(): void {
    // Without a status the stream was cut; "close" follows and tells.
    if (this.#status === undefined || this.#finished) return;
    try {
      const error = statusError(this.#status);
      if (error !== undefined) throw error;
      const message = this.#reader.shift();
      if (message === undefined) throw new SteppeError("internal", "the server answered without a message");
      const answer = this.#method.decodeResponse(message);
      this.#finish(() => this.#settled.resolve(answer));
    } catch (error) {
      this.#finish(() => this.#settled.reject(error));
    }
  }

  #lose(): void {
    if (this.#finished) return;
    const refused = this.#stream?.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    this.fail(new TransportFailure("lost", "connection lost", { reached: !refused, silent: false }));
  }

  #finish(settle: () => void, reset?: number): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#signal.removeEventListener("abort", this.#abort);
    if (reset !== undefined && this.#stream !== undefined && !this.#stream.closed) this.#stream.close(reset);
    this.#settled.done(this);
    settle();
  }
}

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
