// The answering end of a stream that carries many unary calls.
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { type Logger, SteppeError } from "@steppe/model";
import { type CallBatch, CallReply, type CallRequest, CallsDefinition } from "@steppe/proto";
import { answerCall, type ServedMethod } from "./answer-call.ts";
import { batches, CALL_BYTES_MAX } from "./call-batches.ts";
import type { CertificateName } from "./certificate-names.ts";
import { grpcMethods } from "./grpc-definition.ts";
import { encodeError, UNIMPLEMENTED, type WireStatus } from "./grpc-errors.ts";
import type { OpenCalls } from "./open-calls.ts";

const { multiplex: MULTIPLEX } = grpcMethods(CallsDefinition);

export interface MultiplexOptions {
  /** By path, `/steppe.v1.Jobs/Get`. */
  readonly methods: ReadonlyMap<string, ServedMethod>;
  readonly calls: OpenCalls;
  readonly logger: Logger;
  /** Names of the caller at `address:port`; undefined without TLS. */
  callerOf(peer: string): readonly CertificateName[] | undefined;
}

export function multiplexHandler(options: MultiplexOptions) {
  return (call: ServerDuplexStream<CallBatch, Uint8Array>): void => {
    const carrier = new Carrier(call, options);
    call.on("data", ({ Calls }: CallBatch) => {
      for (const request of Calls) carrier.take(request);
    });
    call.on("end", () => carrier.endWhenDone());
    call.on("cancelled", () => carrier.dropAll());
    call.on("error", () => carrier.dropAll());
  };
}

class Carrier {
  #call: ServerDuplexStream<CallBatch, Uint8Array>;
  #options: MultiplexOptions;
  #names: readonly CertificateName[] | undefined;
  #open = new Map<number, AbortController>();
  #replies: CallReply[] = [];
  #ending = false;
  #forget: () => void;

  constructor(call: ServerDuplexStream<CallBatch, Uint8Array>, options: MultiplexOptions) {
    this.#call = call;
    this.#options = options;
    this.#names = options.callerOf(call.getPeer());
    this.#forget = options.calls.onClose(() => this.endWhenDone());
    if (options.calls.closing) this.endWhenDone();
  }

  take(request: CallRequest): void {
    if (request.Method === "") this.#open.get(request.ID)?.abort(new Error("the caller has gone"));
    else void this.#serve(request);
  }

  /** The caller sends no more, or this server wants no more: what is under way is still answered. */
  endWhenDone(): void {
    this.#ending = true;
    this.#endIfDone();
  }

  dropAll(): void {
    this.#forget();
    for (const controller of this.#open.values()) controller.abort(new Error("the caller has gone"));
  }

  async #serve({ ID, Method, TimeoutMs, Message }: CallRequest): Promise<void> {
    const served = this.#options.methods.get(Method);
    if (served === undefined) {
      this.#fail(ID, { status: UNIMPLEMENTED, message: `${Method} is no unary method of this server` });
      return;
    }
    const received = {
      request: () => served.grpc.decodeRequest(Message),
      names: this.#names,
      timeoutMs: (heldMs: number) => Math.max(1, TimeoutMs - heldMs),
      began: (controller: AbortController) => void this.#open.set(ID, controller),
    };
    const answer = await answerCall(served, received, this.#options);
    if (answer instanceof Uint8Array) this.#answer(ID, answer);
    else this.#fail(ID, answer);
    this.#open.delete(ID);
    this.#endIfDone();
  }

  #answer(ID: number, message: Uint8Array): void {
    if (message.length <= CALL_BYTES_MAX) {
      this.#send({ ID, Status: 0, Text: "", Code: "", Message: message });
      return;
    }
    const error = new SteppeError("too-large", `the answer has ${message.length} bytes`);
    this.#fail(ID, encodeError(error, "", this.#options.logger));
  }

  #fail(ID: number, { status, message, code = "" }: WireStatus): void {
    this.#send(CallReply.create({ ID, Status: status, Text: message, Code: code }));
  }

  #send(reply: CallReply): void {
    if (this.#replies.push(reply) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const replies = this.#replies;
    this.#replies = [];
    if (this.#call.cancelled) return;
    for (const Replies of batches(replies)) this.#call.write(MULTIPLEX.encodeResponse({ Replies }));
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (!this.#ending || this.#open.size > 0 || this.#replies.length > 0) return;
    this.#forget();
    this.#call.end();
  }
}
