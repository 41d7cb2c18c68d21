// Many unary calls over one stream of a connection: what was called in one turn of the event loop is sent as
// one message, and answers come back the same way. Falls back to a stream for each call where the server
// is older than this (it answers UNIMPLEMENTED).
import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from "node:http2";
import { SteppeError } from "@steppe/model";
import { type CallReply, type CallRequest, CallsDefinition } from "@steppe/proto";
import { batches, CALL_BYTES_MAX } from "./call-batches.ts";
import { requestHeaders, statusError } from "./call-headers.ts";
import { FrameReader, frame } from "./frames.ts";
import { grpcMethods } from "./grpc-definition.ts";
import { decodeError, UNIMPLEMENTED } from "./grpc-errors.ts";
import type { Link } from "./link.ts";

const { multiplex: MULTIPLEX } = grpcMethods(CallsDefinition);

/** A call as the stream that carries it sees it. */
export interface CarriedCall {
  answered(message: Uint8Array): void;
  refused(error: Error): void;
  /** No answer will come. `reached`: the server may have got the request. */
  lost(reached: boolean): void;
  /** This way is closed: take a stream of its own. */
  goAlone(link: Link): void;
}

export class CallStream {
  #link: Link;
  #stream: ClientHttp2Stream | undefined;
  #status: IncomingHttpHeaders | undefined;
  #reader = new FrameReader();
  #open = new Map<number, CarriedCall>();
  #queue: CallRequest[] = [];
  #lastId = 0;
  #supported = true;

  constructor(link: Link) {
    this.#link = link;
  }

  /** False once the server has said that it knows no such calls. */
  get supported(): boolean {
    return this.#supported;
  }

  /** What gives the call up. Throws when the connection takes no more streams, and for a message that none would take. */
  start(call: CarriedCall, path: string, Message: Uint8Array, timeoutMs: number): () => void {
    if (Message.length > CALL_BYTES_MAX) {
      throw new SteppeError(
        "too-large",
        `the request has ${Message.length} bytes, at most ${CALL_BYTES_MAX} are taken`,
      );
    }
    this.#stream ??= this.#begin();
    this.#lastId = (this.#lastId + 1) >>> 0;
    const ID = this.#lastId;
    this.#open.set(ID, call);
    this.#send({ ID, Method: path, TimeoutMs: Math.max(1, Math.ceil(Math.min(timeoutMs, TIMEOUT_MAX_MS))), Message });
    return () => {
      if (this.#open.delete(ID)) this.#send({ ID, Method: "", TimeoutMs: 0, Message: NOTHING });
    };
  }

  #begin(): ClientHttp2Stream {
    const stream = this.#link.session.request(requestHeaders(MULTIPLEX.path, Number.POSITIVE_INFINITY));
    stream.on("response", (headers) => {
      this.#link.heard();
      if (headers["grpc-status"] !== undefined || headers[":status"] !== 200) this.#status = headers;
    });
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    stream.on("trailers", (trailers) => {
      this.#status = trailers;
    });
    stream.on("error", () => this.#end(stream));
    stream.on("end", () => this.#end(stream));
    stream.on("close", () => this.#end(stream));
    return stream;
  }

  #send(call: CallRequest): void {
    if (this.#queue.push(call) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const Calls of batches(queue)) this.#stream?.write(frame(MULTIPLEX.encodeRequest({ Calls })));
  }

  #take(chunk: Buffer): void {
    this.#link.heard();
    this.#reader.push(chunk);
    try {
      for (let bytes = this.#reader.shift(); bytes !== undefined; bytes = this.#reader.shift()) {
        for (const reply of MULTIPLEX.decodeResponse(bytes).Replies) this.#settle(reply);
      }
    } catch {
      // Not what we speak: nothing that follows can be read either.
      this.#stream?.close(constants.NGHTTP2_PROTOCOL_ERROR);
    }
  }

  #settle({ ID, Status, Text, Code, Message }: CallReply): void {
    const call = this.#open.get(ID);
    if (call === undefined) return;
    this.#open.delete(ID);
    if (Status === 0) call.answered(Message);
    else call.refused(decodeError({ status: Status, message: Text, ...(Code !== "" && { code: Code }) }));
  }

  #end(stream: ClientHttp2Stream): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    if (!stream.closed) stream.close();
    const unsent = new Set(this.#queue.map(({ ID }) => ID));
    const calls = [...this.#open];
    const status = this.#status;
    this.#queue = [];
    this.#open.clear();
    this.#reader = new FrameReader();
    this.#status = undefined;
    if (Number(status?.["grpc-status"]) === UNIMPLEMENTED) this.#supported = false;
    const failure = status === undefined ? undefined : statusError(status);
    const refused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    for (const [id, call] of calls) {
      if (!this.#supported) call.goAlone(this.#link);
      else if (failure !== undefined) call.refused(failure);
      else call.lost(!refused && !unsent.has(id));
    }
  }
}

/** What the field holds: 49 days. */
const TIMEOUT_MAX_MS = 2 ** 32 - 1;
const NOTHING = new Uint8Array(0);
