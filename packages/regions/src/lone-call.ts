// One unary call over an HTTP/2 stream of its own, as any gRPC server understands it.
import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from "node:http2";
import { SteppeError } from "@steppe/model";
import { requestHeaders, statusError } from "./call-headers.ts";
import type { CarriedCall } from "./call-stream.ts";
import { FrameReader, frame, MESSAGE_BYTES_MAX, PREFIX_BYTES } from "./frames.ts";
import type { Link } from "./link.ts";

/** What gives the call up. Throws when the connection takes no more streams. */
export function startAlone(
  link: Link,
  call: CarriedCall,
  path: string,
  message: Uint8Array,
  timeoutMs: number,
): () => void {
  const stream: ClientHttp2Stream = link.session.request(requestHeaders(path, timeoutMs));
  const reader = new FrameReader();
  let status: IncomingHttpHeaders | undefined;
  const lose = () => call.lost(stream.rstCode !== constants.NGHTTP2_REFUSED_STREAM);
  stream.on("response", (headers) => {
    link.heard();
    if (headers["grpc-status"] !== undefined || headers[":status"] !== 200) status = headers;
  });
  stream.on("data", (chunk: Buffer) => {
    reader.push(chunk);
    if (reader.bytes <= PREFIX_BYTES + MESSAGE_BYTES_MAX) return;
    call.refused(new SteppeError("too-large", `the answer has more than ${MESSAGE_BYTES_MAX} bytes`));
    stream.close(constants.NGHTTP2_CANCEL);
  });
  stream.on("trailers", (trailers) => {
    status = trailers;
  });
  stream.on("end", () => {
    // Without a status the stream was cut; "close" follows and tells.
    if (status === undefined) return;
    try {
      const error = statusError(status);
      if (error !== undefined) throw error;
      const answer = reader.shift();
      if (answer === undefined) throw new SteppeError("internal", "the server answered without a message");
      call.answered(answer);
    } catch (error) {
      call.refused(error as Error);
    }
  });
  stream.on("error", lose);
  stream.on("close", lose);
  stream.end(frame(message));
  return () => {
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  };
}
