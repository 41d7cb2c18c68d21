// One unary call from request to answer, over node's own HTTP/2: half the time of grpc-js's client
// (docs/decisions/0005), and it knows whether the request was sent.
import { SteppeError } from "@steppe/model";
import type { CarriedCall } from "./call-stream.ts";
import type { GrpcMethod } from "./grpc-definition.ts";
import type { Link } from "./link.ts";
import { startAlone } from "./lone-call.ts";
import type { Pending } from "./pending.ts";
import { TransportFailure } from "./transport-failure.ts";

export interface UnaryOptions {
  readonly signal: AbortSignal;
  /** Until the answer must be there, connecting included. */
  readonly timeoutMs: number;
}

/** A server that did not stir for this long of a call is to be avoided, even if no ping has run out yet. */
const SILENT_AFTER_MS = 1_900;

export interface UnarySettled {
  resolve(answer: unknown): void;
  reject(error: unknown): void;
  /** Called once, before either. */
  done(call: UnaryCall): void;
}

export class UnaryCall implements Pending, CarriedCall {
  readonly deadlineMs: number;
  link: Link | undefined;
  #method: GrpcMethod;
  #message: Uint8Array;
  #signal: AbortSignal;
  #settled: UnarySettled;
  #finished = false;
  #startedMs: number;
  /** Tells the server that nobody waits any more. */
  #giveUp: (() => void) | undefined;
  #abort = () => this.#fail(this.#signal.reason);

  constructor(method: GrpcMethod, request: unknown, options: UnaryOptions, startedMs: number, settled: UnarySettled) {
    this.deadlineMs = startedMs + options.timeoutMs;
    this.#method = method;
    this.#message = method.encodeRequest(request);
    this.#signal = options.signal;
    this.#settled = settled;
    this.#startedMs = startedMs;
    this.#signal.addEventListener("abort", this.#abort);
  }

  start(link: Link): void {
    if (!link.calls.supported) {
      this.goAlone(link);
      return;
    }
    this.#start(link, () => link.calls.start(this, this.#method.path, this.#message, this.#timeoutMs));
  }

  goAlone(link: Link): void {
    this.#start(link, () => startAlone(link, this, this.#method.path, this.#message, this.#timeoutMs));
  }

  fail(failure: TransportFailure): void {
    this.#fail(failure);
  }

  expire(nowMs: number): void {
    const heard = this.link !== undefined && this.link.heardMs >= this.#startedMs;
    const silent = !heard && nowMs - this.#startedMs >= SILENT_AFTER_MS;
    this.fail(new TransportFailure("deadline", "no answer in time", { reached: this.link !== undefined, silent }));
  }

  answered(message: Uint8Array): void {
    let answer: unknown;
    try {
      answer = this.#method.decodeResponse(message);
    } catch (error) {
      this.refused(error as Error);
      return;
    }
    this.#finish(() => this.#settled.resolve(answer));
  }

  refused(error: Error): void {
    this.#finish(() => this.#settled.reject(error));
  }

  lost(reached: boolean): void {
    this.refused(new TransportFailure("lost", "connection lost", { reached, silent: false }));
  }

  get #timeoutMs(): number {
    return this.deadlineMs - this.#startedMs;
  }

  #start(link: Link, start: () => () => void): void {
    try {
      this.#giveUp = start();
      this.link = link;
    } catch (cause) {
      if (cause instanceof SteppeError) this.refused(cause);
      // The session closed between the check and the request.
      else this.fail(new TransportFailure("lost", "connection closed", { reached: false, silent: false, cause }));
    }
  }

  #fail(error: unknown): void {
    if (this.#finished) return;
    this.#giveUp?.();
    this.#finish(() => this.#settled.reject(error));
  }

  #finish(settle: () => void): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#signal.removeEventListener("abort", this.#abort);
    this.#settled.done(this);
    settle();
  }
}
