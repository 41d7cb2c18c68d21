import type { IncomingMessage } from "node:http";
import { SteppeError } from "@steppe/model";
import type { PlainRequest } from "../plain/plain-request.ts";

const EMPTY = Buffer.alloc(0);

/**
 * The whole body, whatever its Content-Type says: curl -d calls JSON a form. Empty when there is none.
 * Throws `too-large`; rejects with the stream's error when the client goes away in the middle.
 */
export function readBody(request: IncomingMessage | PlainRequest, limit: number): Promise<Buffer> {
  const tooLarge = () => new SteppeError("too-large", `request body is larger than ${limit} bytes`);
  if ("body" in request) {
    return request.body.length > limit ? Promise.reject(tooLarge()) : Promise.resolve(request.body);
  }
  // So it is from the start where no body is announced, and then no event follows.
  if (request.readableEnded) return Promise.resolve(EMPTY);
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"] ?? 0) > limit) return reject(tooLarge());
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (finish: () => void) => {
      request.off("data", take).off("end", end).off("error", fail).off("close", closed);
      finish();
    };
    const take = (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > limit) settle(() => reject(tooLarge()));
    };
    const end = () => settle(() => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    const fail = (error: Error) => settle(() => reject(error));
    const closed = () => fail(new Error("connection closed before the body was complete"));
    request.on("data", take).on("end", end).on("error", fail).on("close", closed);
  });
}
