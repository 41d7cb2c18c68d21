// The answering end of a stream that carries many unary calls.
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { type Logger, SteppeError } from "@steppe/model";
import { type CallBatch, CallReply, type CallRequest, CallsDefinition } from "@steppe/proto";
import { blockingMs, queryOf } from "./blocking.ts";
import { batches, CALL_BYTES_MAX } from "./call-batches.ts";
import type { CertificateName } from "./certificate-names.ts";
import { type GrpcMethod, grpcMethods } from "./grpc-definition.ts";
import { CLOSING, encodeError, UNIMPLEMENTED, type WireStatus } from "./grpc-errors.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { AnyMethod, PeerCall } from "./region-services.ts";

const { multiplex: MULTIPLEX } = grpcMethods(CallsDefinition);

/** One unary method that may be called this way. */
export interface Carried {
  readonly grpc: GrpcMethod<object, object>;
  readonly method: AnyMethod;
  /** Throws for callers that may not call it. */
  admit(names: readonly CertificateName[] | undefined): void;
}

export interface MultiplexOptions {
  /** By path, `/steppe.v1.Jobs/Get`. */
  readonly methods: ReadonlyMap<string, Carried>;
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
    const { methods, calls, logger } = this.#options;
    const carried = methods.get(Method);
    if (carried === undefined) {
      this.#fail(ID, { status: UNIMPLEMENTED, message: `${Method} is no unary method of this server` });
      return;
    }
    let controller: AbortController | undefined;
    try {
      carried.admit(this.#names);
      const request = carried.grpc.decodeRequest(Message);
      const heldMs = blockingMs(queryOf(request));
      controller = calls.add(heldMs > 0);
      this.#open.set(ID, controller);
      const timeoutMs = Math.max(1, TimeoutMs - heldMs);
      const around: PeerCall = { signal: controller.signal, timeoutMs, names: this.#names };
      const answer = await carried.method(request, around);
      this.#answer(ID, carried.grpc.encodeResponse(answer));
    } catch (error) {
      // What a handler throws because its signal aborted is no failure of its own.
      const aborted = controller?.signal.aborted === true && !(error instanceof SteppeError);
      this.#fail(ID, aborted ? CLOSING : encodeError(error, Method, logger));
    } finally {
      this.#open.delete(ID);
      if (controller !== undefined) calls.remove(controller);
      this.#endIfDone();
    }
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
