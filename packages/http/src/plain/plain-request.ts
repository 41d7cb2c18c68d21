import type { IncomingHttpHeaders } from "node:http";
import type { HeaderBlocks } from "./header-blocks.ts";

/**
 * Method, path and query. Of a path nothing that would have to be decoded, of both nothing that RFC 3986 does not
 * allow: what else clients send is for node:http to judge.
 */
const REQUEST_LINE = /^(GET|PUT|POST|DELETE|HEAD) (\/[\w\-.~!$&'()*+,=:@/]*)(\?[\w\-.~%!$&'()*+,;=:@/?]*)? HTTP\/1\.1$/;
const LINE_BYTES_MAX = 2_048;
const LINE_END = "\r\n";
const HEAD_END = "\r\n\r\n";

/** A request that came whole, in one piece: what is used here of node:http's. */
export interface PlainRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly body: Buffer;
  readonly httpVersionMajor: 1;
  readonly httpVersionMinor: 1;
}

/** Why bytes are no plain request that is known: `unknown` ones may be learned, others are for node:http. */
export type NotPlain = "unknown" | "other";

/** `learn`: whether headers that are not known are learned now. */
export function readPlain(bytes: Buffer, blocks: HeaderBlocks, learn: boolean): PlainRequest | NotPlain {
  const lineEnd = bytes.indexOf(LINE_END);
  if (lineEnd < 0 || lineEnd > LINE_BYTES_MAX) return "other";
  const headEnd = bytes.indexOf(HEAD_END, lineEnd) + HEAD_END.length;
  if (headEnd < HEAD_END.length) return "other";
  const line = REQUEST_LINE.exec(bytes.toString("latin1", 0, lineEnd));
  if (line === null) return "other";
  const block = bytes.toString("latin1", lineEnd + LINE_END.length, headEnd);
  let known = blocks.get(block);
  if (known === undefined) {
    if (blocks.has(block)) return "other";
    if (!learn) return "unknown";
    known = blocks.learn(block);
    if (known === undefined) return "other";
  }
  // Less is a body that is still under way, more another request behind this one.
  if (headEnd + known.bodyBytes !== bytes.length) return "other";
  const [, method = "", path = "", query = ""] = line;
  return {
    method,
    url: path + query,
    headers: known.headers,
    path,
    query: query.slice(1),
    body: bytes.subarray(headEnd),
    httpVersionMajor: 1,
    httpVersionMinor: 1,
  };
}
