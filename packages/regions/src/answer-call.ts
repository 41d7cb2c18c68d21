// One unary call on the answering side, whichever way it came.
import { type Logger, SteppeError } from "@steppe/model";
import { blockingMs, queryOf } from "./blocking.ts";
import type { CertificateName } from "./certificate-names.ts";
import type { GrpcMethod } from "./grpc-definition.ts";
import { CLOSING, encodeError, type WireStatus } from "./grpc-errors.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { AnyMethod, PeerCall } from "./region-services.ts";

export interface ServedMethod {
  readonly grpc: GrpcMethod<object, object>;
  readonly method: AnyMethod;
  /** Throws for callers that may not call it. */
  admit(names: readonly CertificateName[] | undefined): void;
}

export interface ReceivedCall {
  /** Throws when it cannot be read. */
  request(): object;
  /** Names of the caller; undefined without TLS. */
  readonly names: readonly CertificateName[] | undefined;
  /** Milliseconds that the caller waits, less those for which a blocking read may be held. */
  timeoutMs(heldMs: number): number;
  /** Told what ends the call. */
  began(controller: AbortController): void;
}

/** The encoded answer, or how else the call ends. Never rejects. */
export async function answerCall(
  { grpc, method, admit }: ServedMethod,
  received: ReceivedCall,
  { calls, logger }: { readonly calls: OpenCalls; readonly logger: Logger },
): Promise<Uint8Array | WireStatus> {
  let controller: AbortController | undefined;
  try {
    const { names } = received;
    admit(names);
    const request = received.request();
    const heldMs = blockingMs(queryOf(request));
    controller = calls.add(heldMs > 0);
    received.began(controller);
    const around: PeerCall = { signal: controller.signal, timeoutMs: received.timeoutMs(heldMs), names };
    return grpc.encodeResponse(await method(request, around));
  } catch (error) {
    return endOf(error, controller?.signal, grpc.path, logger);
  } finally {
    if (controller !== undefined) calls.remove(controller);
  }
}

/** What a caller is told of an error. */
export function endOf(error: unknown, signal: AbortSignal | undefined, path: string, logger: Logger): WireStatus {
  // What a handler throws because its signal aborted is no failure of its own.
  const aborted = signal?.aborted === true && !(error instanceof SteppeError);
  return aborted ? CLOSING : encodeError(error, path, logger);
}
