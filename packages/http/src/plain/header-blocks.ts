import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";

/** What a block of headers says, shared by all requests that come with the same one. */
export interface KnownHeaders {
  readonly headers: IncomingHttpHeaders;
  /** Of the body that follows; 0: none. */
  readonly bodyBytes: number;
}

/** A client's kind of request has one; above these, the one that was learned first is forgotten. */
const BLOCKS_MAX = 1_000;
const BLOCK_BYTES_MAX = 2_048;

/** A line that ends in anything but CRLF. */
const ODD_LINE_END = /(?:^|[^\r])\n|\r(?!\n)/;
/** They ask for more than an answer. */
const UNUSUAL = ["upgrade", "expect", "transfer-encoding", "trailer", "te"] as const;

/**
 * Headers of requests, each different block of them parsed once, by Node's own parser, and remembered: clients send
 * the same block again and again. Only what asks for nothing but an answer on a connection that is kept is known.
 */
export class HeaderBlocks {
  readonly #known: Map<string, KnownHeaders | undefined> = new Map();

  /** Undefined: node:http has to look at it itself, or, unless `has`, it is not known yet. */
  get(block: string): KnownHeaders | undefined {
    return this.#known.get(block);
  }

  has(block: string): boolean {
    return this.#known.has(block);
  }

  /** `block`: header lines to the empty one. Costs as much as a request or two. */
  learn(block: string): KnownHeaders | undefined {
    if (block.length > BLOCK_BYTES_MAX) return undefined;
    const learned = ODD_LINE_END.test(block) ? undefined : knownHeaders(parse(block));
    const [oldest] = this.#known.keys();
    if (this.#known.size >= BLOCKS_MAX && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(block, learned);
    return learned;
  }
}

function knownHeaders(request: IncomingMessage | undefined): KnownHeaders | undefined {
  if (request === undefined) return undefined;
  const { headers } = request;
  if (UNUSUAL.some((name) => headers[name] !== undefined)) return undefined;
  if ((headers.connection ?? "keep-alive").toLowerCase() !== "keep-alive") return undefined;
  return { headers: Object.freeze(headers), bodyBytes: Number(headers["content-length"] ?? 0) };
}

/** As node:http reads it, which tells at once, as it gets the whole; undefined where it would not take the request. */
function parse(block: string): IncomingMessage | undefined {
  const wire = new Duplex({ read: () => undefined, write: (_piece, _encoding, done) => done() });
  wire.on("error", ignore);
  const taken: IncomingMessage[] = [];
  const server = createServer((request) => void taken.push(request));
  for (const other of ["clientError", "upgrade", "checkContinue", "checkExpectation"]) server.on(other, ignore);
  server.emit("connection", wire);
  wire.emit("data", Buffer.from(`PUT / HTTP/1.1\r\n${block}`, "latin1"));
  wire.destroy();
  return taken.length === 1 ? taken[0] : undefined;
}

function ignore(): void {
  // What is no plain request is seen by what did not come.
}
