// Errors on the wire. The code of a `SteppeError` travels in the trailer `steppe-code`, since
// several codes share one gRPC status, and its text in `grpc-message`, percent-encoded as gRPC
// asks, so that newlines and any alphabet survive. A status without our code is the transport's.
import { GRPC_STATUS, isErrorCode, type Logger, SteppeError } from "@steppe/model";
import { TransportFailure } from "./transport-failure.ts";

export const CODE_TRAILER = "steppe-code";

/** A longer text would not fit into the header block that peers accept (64 KiB for most). */
const MESSAGE_ENCODED_MAX = 32_768;

const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
/** The server knows no such method. */
export const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;

/** `message` is plain text, not yet percent-encoded; without `code` the peer takes it as the transport's. */
export interface WireStatus {
  readonly status: number;
  readonly message: string;
  readonly code?: string;
}

/** For a call that ends because its server is closing or its client has gone. */
export const CLOSING: WireStatus = { status: UNAVAILABLE, message: "the server is closing" };

/** What the peer gets to see of `error`; anything but a `SteppeError` goes to the logger only. */
export function encodeError(error: unknown, method: string, logger: Logger): WireStatus {
  if (error instanceof SteppeError) {
    if (error.cause !== undefined) logger.debug({ err: error, method }, "request refused");
    return { status: GRPC_STATUS[error.code], message: fit(error.message), code: error.code };
  }
  logger.error({ err: error, method }, "request failed");
  return { status: GRPC_STATUS.internal, message: "internal error", code: "internal" };
}

/** The inverse, on the calling side. `message` is already decoded. */
export function decodeError({ status, message, code }: WireStatus): SteppeError | TransportFailure {
  if (code !== undefined) return new SteppeError(isErrorCode(code) ? code : "internal", message);
  switch (status) {
    case UNAVAILABLE:
    case CANCELLED:
      return new TransportFailure("lost", message, { reached: true, silent: false });
    case DEADLINE_EXCEEDED:
      return new TransportFailure("deadline", message, { reached: true, silent: false });
    case RESOURCE_EXHAUSTED:
      return new SteppeError("too-large", message);
    default:
      return new SteppeError("internal", `gRPC status ${status}: ${message}`);
  }
}

/** Text of a `grpc-message` header; one that is not well encoded is shown as it came. */
export function decodeMessage(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}

function fit(message: string): string {
  let text = message.toWellFormed();
  for (let size = encodeURI(text).length; size > MESSAGE_ENCODED_MAX; size = encodeURI(text).length) {
    const kept = Math.floor((text.length * MESSAGE_ENCODED_MAX) / size) - 4;
    text = `${text.slice(0, kept).toWellFormed()}...`;
  }
  return text;
}
