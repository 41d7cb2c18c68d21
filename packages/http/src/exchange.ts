import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Call, HTTP_STATUS, listToJson, SteppeError } from "@steppe/model";
import type { QueryMeta } from "@steppe/proto";
import type { Held, Lifecycle } from "./lifecycle.ts";
import type { HttpNeeds, RegionServices } from "./needs.ts";
import type { CompleteOptions } from "./options.ts";
import { PlainReply } from "./plain/plain-reply.ts";
import type { PlainRequest } from "./plain/plain-request.ts";
import { corsHeaders } from "./reply/cors.ts";
import { metaHeaders } from "./reply/meta.ts";
import { chooseEncoding, Payload } from "./reply/payload.ts";
import { ReplyStream } from "./reply/reply-stream.ts";
import { authToken } from "./request/credentials.ts";
import { fingerprintOf } from "./request/fingerprint.ts";
import { allValues, type Params } from "./request/params.ts";
import { readBody } from "./request/read-body.ts";

/** One reason for all: the default one is a new exception with its stack trace. */
const CLIENT_GONE = new Error("the client went away");
/** What is written of a list between two turns of the event loop: some hundred kB, a few milliseconds. */
const LIST_PIECE = 256;

/** What all requests of one app share. */
export interface Surroundings {
  readonly needs: HttpNeeds;
  readonly options: CompleteOptions;
  /** Of `options.responseHeaders`, as name, value, … */
  readonly fixedHeaders: readonly string[];
  readonly lifecycle: Lifecycle;
}

/**
 * One request and its reply. The reply is written straight to the socket's response, in one piece:
 * headers are gathered here until the body is known. It is also the `Call` that services get; its
 * signal is made only when a service looks at it, which one that answers at once never does.
 */
export class Exchange implements Call, Held {
  readonly params: Params;
  readonly needs: HttpNeeds;
  readonly timeoutMs: number;
  readonly #around: Surroundings;
  readonly #request: IncomingMessage | PlainRequest;
  readonly #response: ServerResponse | PlainReply;
  #headers: string[] = [];
  #body: Buffer | undefined;
  #controller: AbortController | undefined;
  #isHeld = false;
  #isEnded = false;

  /** A plain request goes with a plain reply. */
  constructor(
    around: Surroundings,
    request: IncomingMessage | PlainRequest,
    response: ServerResponse | PlainReply,
    params: Params,
  ) {
    this.params = params;
    this.needs = around.needs;
    this.timeoutMs = around.options.timeoutMs;
    this.#around = around;
    this.#request = request;
    this.#response = response;
  }

  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }

  get token(): string {
    return authToken(this.headers);
  }

  /** Aborts when the client goes away, and for a blocking query also when the app closes. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      if (this.#isEnded) this.end();
      else if (this.#response.destroyed) controller.abort(CLIENT_GONE);
      // It closes too when the reply was given, and then nobody listens any more.
      else this.#response.once("close", () => this.#response.writableFinished || controller.abort(CLIENT_GONE));
    }
    return this.#controller.signal;
  }

  /** This read may wait long: it is ended when the app closes. */
  mayBlock(): void {
    if (!this.#isHeld) this.#count(-1);
    this.#isHeld = true;
    this.#around.lifecycle.hold(this);
  }

  end(): void {
    this.#isEnded = true;
    this.#controller?.abort(new SteppeError("no-quorum", "server is shutting down"));
  }

  /** It may have waited for something to happen: how long it took says nothing. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Of the reply. */
  get status(): number {
    return this.#response.statusCode;
  }

  /** A handler has it now. */
  begin(): void {
    this.#count(1);
  }

  /** The reply is given. */
  done(): void {
    if (this.#isHeld) this.#around.lifecycle.release(this);
    else this.#count(-1);
  }

  #count(by: number): void {
    const { waiting } = this.needs;
    if (waiting !== undefined) waiting.requests += by;
  }

  /** Every value of a query parameter that may be repeated. */
  all(name: string): string[] {
    return allValues(this.#request.url ?? "", name);
  }

  services(region: string): RegionServices {
    return this.needs.route(region);
  }

  async body(): Promise<Buffer> {
    this.#body = await readBody(this.#request, this.#around.options.bodyLimit);
    return this.#body;
  }

  /** Of what is asked for: the path, the parameters but those of the way, and the body that was read. */
  fingerprint(): string {
    const { method, url = "" } = this.#request;
    return fingerprintOf(`${method} ${url.split("?")[0]}`, this.params, this.#body);
  }

  /** The body as it comes, of any size. */
  bodyPieces(): AsyncIterable<Uint8Array> {
    return "body" in this.#request ? piecesOf(this.#request.body) : this.#request;
  }

  /** Headers that go with whatever reply follows. */
  header(name: string, value: string): void {
    this.#headers.push(name, value);
  }

  meta(meta: QueryMeta | undefined): void {
    if (meta !== undefined) this.#headers.push(...metaHeaders(meta));
  }

  /** Answers 200 with JSON, indented when `?pretty` asks for it. */
  json(body: Payload | string): void | Promise<void> {
    if (!this.isPretty) {
      return this.send(200, "application/json", typeof body === "string" ? new Payload(body) : body);
    }
    const text = typeof body === "string" ? body : body.text;
    return this.send(200, "application/json", new Payload(`${JSON.stringify(JSON.parse(text), null, 4)}\n`));
  }

  /**
   * Answers 200 with a list. A long one goes out in pieces: other requests have their turn in between, and it is
   * never in memory as a whole.
   */
  list(message: string, values: readonly object[]): void | Promise<void> {
    return this.listOf(values, (some) => listToJson(message, some));
  }

  /** The same, where `toJson` writes some of the values as a list. */
  listOf<T>(values: readonly T[], toJson: (some: readonly T[]) => string): void | Promise<void> {
    if (this.isPretty || values.length <= LIST_PIECE) return this.json(toJson(values));
    return this.inPieces("application/json", listPieces(values, toJson));
  }

  /** Answers 200 with text that is made piece by piece, while other requests have their turn in between. */
  async inPieces(type: string, pieces: Iterable<string>): Promise<void> {
    const reply = this.stream(type);
    for (const piece of this.isHead ? [] : pieces) {
      await reply.write(piece);
      await nextTurn();
    }
    reply.end();
  }

  /** As `json`, with another status. */
  jsonWith(status: number, text: string): void | Promise<void> {
    return this.send(status, "application/json", new Payload(text));
  }

  /** 200 without a body, as the API answers when there is nothing to tell. */
  empty(): void | Promise<void> {
    return this.send(200, "application/json", new Payload(""));
  }

  /** 204. */
  noContent(): void {
    this.#response.writeHead(204, [...this.#around.fixedHeaders, ...this.#headers]);
    this.#response.end();
  }

  text(status: number, text: string): void | Promise<void> {
    return this.send(status, "text/plain; charset=utf-8", new Payload(text));
  }

  /** Answers a failure: expected ones in their own words, any other as `internal error`, with the chain in the log. */
  fail(error: unknown): void | Promise<void> {
    const { method, url } = this.#request;
    if (this.#response.destroyed) {
      this.needs.logger.debug({ err: error, method, url }, "client went away");
      return;
    }
    if (this.#response.headersSent) throw error;
    if (error instanceof SteppeError) {
      if (error.code === "outcome-unknown") this.header("Steppe-Outcome", "unknown");
      // What is left of the body would be read only to be thrown away.
      if (error.code === "too-large") this.header("Connection", "close");
      return this.text(HTTP_STATUS[error.code], error.message);
    }
    this.needs.logger.error({ err: error, method, url }, "request failed unexpectedly");
    // What was gathered so far may be what is broken.
    this.#headers = [];
    return this.text(500, "internal error");
  }

  /** Nothing more can be said, not even that it failed. */
  abandon(error: unknown): void {
    const { method, url } = this.#request;
    this.needs.logger.error({ err: error, method, url }, "reply could not be written");
    this.#response.destroy();
  }

  /** Begins a reply that is written piece by piece: each one goes out at once, packed where the client takes that. */
  stream(type: string): ReplyStream {
    const accepted = this.#request.headers["accept-encoding"];
    const encoding = accepted === undefined ? undefined : chooseEncoding(accepted);
    const head = this.#head(type, undefined);
    if (encoding !== undefined) head.push("Content-Encoding", encoding);
    const response = this.#response instanceof PlainReply ? this.#response.whole() : this.#response;
    response.writeHead(200, head);
    return new ReplyStream(response, encoding, this.#request.method === "HEAD");
  }

  /**
   * Answers with pieces as they come, of the type that the first one tells. A failure before the first has a status
   * of its own; a later one cuts the reply.
   */
  async pipe(pieces: AsyncIterable<Uint8Array>, typeOf: (first: Uint8Array) => string): Promise<void> {
    const read = pieces[Symbol.asyncIterator]();
    const first = await read.next();
    const reply = this.stream(typeOf(first.done === true ? new Uint8Array(0) : first.value));
    try {
      for (let next = first; next.done !== true && !this.isHead; next = await read.next()) {
        if (next.value.length > 0) await reply.write(next.value);
      }
      reply.end();
    } catch (error) {
      this.abandon(error);
    } finally {
      await read.return?.();
    }
  }

  get isPretty(): boolean {
    const { pretty } = this.params;
    return pretty !== undefined && pretty !== "0";
  }

  get isHead(): boolean {
    return this.#request.method === "HEAD";
  }

  send(status: number, type: string, payload: Payload): void | Promise<void> {
    const isHead = this.#request.method === "HEAD";
    const accepted = this.#request.headers["accept-encoding"];
    if (isHead || accepted === undefined || payload.bytes === 0) return this.#end(status, type, payload, isHead);
    const encoding = chooseEncoding(accepted);
    if (encoding === undefined) return this.#end(status, type, payload, false);
    return payload.packed(encoding).then((packed) => {
      this.#response.writeHead(status, [...this.#head(type, packed.length), "Content-Encoding", encoding]);
      this.#response.end(packed);
    });
  }

  #end(status: number, type: string, payload: Payload, isHead: boolean): void {
    this.#response.writeHead(status, this.#head(type, payload.bytes));
    if (isHead || payload.bytes === 0) this.#response.end();
    // ASCII goes out in one write with the headers. Other text must not: Node would encode both alike, and
    // header bytes above ASCII, as in a page token, would be encoded twice.
    else if (payload.bytes === payload.text.length) this.#response.end(payload.text, "latin1");
    else this.#response.end(Buffer.from(payload.text));
  }

  /** Undefined `bytes`: not known yet. */
  #head(type: string, bytes: number | undefined): string[] {
    const { lifecycle, fixedHeaders, options } = this.#around;
    const head = ["Content-Type", type, "Vary", "Accept-Encoding"];
    if (bytes !== undefined) head.push("Content-Length", String(bytes));
    if (lifecycle.closing) head.push("Connection", "close");
    if (fixedHeaders.length > 0) head.push(...fixedHeaders);
    if (options.cors !== undefined) head.push(...corsHeaders(options.cors, this.headers.origin, false));
    return this.#headers.length === 0 ? head : head.concat(this.#headers);
  }

  /** Answers what may be asked of this path. */
  options(methods: readonly string[]): void {
    const { fixedHeaders, options } = this.#around;
    const cors = corsHeaders(options.cors, this.headers.origin, true);
    this.#response.writeHead(204, ["Allow", methods.join(", "), ...fixedHeaders, ...cors]);
    this.#response.end();
  }

  /** Sends the client elsewhere. */
  redirect(status: number, location: string): void | Promise<void> {
    this.header("Location", location);
    return this.text(status, "");
  }
}

async function* piecesOf(body: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield body;
}

function* listPieces<T>(values: readonly T[], toJson: (some: readonly T[]) => string): Generator<string, void> {
  for (let from = 0; from < values.length; from += LIST_PIECE) {
    const piece = toJson(values.slice(from, from + LIST_PIECE));
    // Between the brackets of all; its own are left out.
    yield (from === 0 ? "[" : ",") + piece.slice(1, -1);
  }
  yield "]";
}
