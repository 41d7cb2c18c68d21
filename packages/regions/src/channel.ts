// The way to one server. Owns the connection and all that waits on it; does not choose servers.
//
// 1. At most one connection is used for new calls; one that the server has asked to leave (goaway)
//    is kept only until its calls are done.
// 2. A server that refuses fails its callers at once; no caller waits for a back-off, during which
//    calls fail without a new attempt.
// 3. A server that has hung is found by pings within 3 s; all its calls fail then.
import type { Clock } from "@steppe/model";
import type { CertificateName } from "./certificate-names.ts";
import type { GrpcMethod } from "./grpc-definition.ts";
import { type Destination, Link } from "./link.ts";
import type { Pending } from "./pending.ts";
import { serverStream } from "./server-stream.ts";
import type { TlsIdentity } from "./tls-identity.ts";
import { TransportFailure } from "./transport-failure.ts";
import { UnaryCall, type UnaryOptions } from "./unary-call.ts";

/**
 * A connection that is not up by then never will be: three round trips over the longest lines (TCP, TLS,
 * HTTP/2) take a second. A region whose servers vanished must be given up within two.
 */
const CONNECT_TIMEOUT_MS = 1_500;
/** Calls within this time of a failed attempt fail with it; twice as long after each further one… */
const RETRY_AFTER_MS = 250;
/** …up to this: servers too busy to shake hands must not be kept busy by handshakes. */
const RETRY_AFTER_MAX_MS = 2_000;

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "connecting"; readonly link: Link; readonly sinceMs: number }
  | { readonly kind: "ready"; readonly link: Link }
  | { readonly kind: "down"; readonly untilMs: number; readonly cause: unknown }
  | { readonly kind: "closed" };

export type ChannelState = State["kind"];

/** A channel as its callers see it. */
export type ServerChannel = Omit<Channel, "tick" | "close">;

export class Channel {
  readonly address: string;
  #clock: Clock;
  #destination: Destination;
  #tls: TlsIdentity | undefined;
  #state: State = { kind: "idle" };
  /** Attempts to connect that failed since one succeeded. */
  #failedAttempts = 0;
  /** All connections that are open, also the leaving ones. */
  #links = new Set<Link>();
  #pending = new Set<Pending>();

  constructor(destination: Destination, clock: Clock, tls: TlsIdentity | undefined) {
    this.address = destination.address;
    this.#destination = destination;
    this.#clock = clock;
    this.#tls = tls;
  }

  get state(): ChannelState {
    return this.#state.kind;
  }

  /** Names in the certificate of the server that is connected; undefined without one, or without TLS. */
  get names(): readonly CertificateName[] | undefined {
    return this.#state.kind === "ready" ? this.#state.link.names : undefined;
  }

  /** The answer. Rejects with the server's `SteppeError`, a `TransportFailure`, or the signal's reason. */
  unary<Request, Response>(
    method: GrpcMethod<Request, Response>,
    request: Request,
    options: UnaryOptions,
  ): Promise<Response> {
    if (options.signal.aborted) return Promise.reject(options.signal.reason);
    return new Promise<Response>((resolve, reject) => {
      const settled = {
        resolve: resolve as (answer: unknown) => void,
        reject,
        done: (call: Pending) => this.#pending.delete(call),
      };
      const now = this.#clock.monotonicMs();
      this.#admit(new UnaryCall(method as GrpcMethod, request, options, now, settled), now);
    });
  }

  /** The answers, until the server ends them, the signal aborts or the consumer stops. Same failures as `unary`. */
  stream<Request, Response>(
    method: GrpcMethod<Request, Response>,
    request: Request,
    signal: AbortSignal,
  ): AsyncIterable<Response> {
    return serverStream(method, request, signal, () => this.#connected());
  }

  /** Connects, if it is not connected: calls will be made soon. */
  warm(): void {
    const now = this.#clock.monotonicMs();
    const { kind } = this.#state;
    const rested = this.#state.kind === "down" && now >= this.#state.untilMs;
    if (kind === "idle" || rested) this.#becomeConnecting(now);
  }

  /** Called about ten times a second. `lateMs`: how much later than planned. */
  tick(nowMs: number, lateMs: number): void {
    const state = this.#state;
    if (state.kind === "connecting" && nowMs - state.sinceMs - lateMs > CONNECT_TIMEOUT_MS) {
      this.#becomeDown(state.link, new Error("connection timed out"));
    }
    for (const link of this.#links) {
      if (state.kind === "connecting" && link === state.link) continue;
      if (!link.checkHealth(nowMs, lateMs)) this.#drop(link, true);
    }
    for (const pending of this.#pending) if (nowMs >= pending.deadlineMs) pending.expire(nowMs);
  }

  close(): void {
    this.#state = { kind: "closed" };
    for (const link of this.#links) this.#drop(link, false);
    this.#failWaiting(new Error("closed"));
  }

  #connected(): Promise<Link> {
    return new Promise((resolve, reject) => {
      const now = this.#clock.monotonicMs();
      const waiting: Pending = {
        deadlineMs: now + CONNECT_TIMEOUT_MS,
        link: undefined,
        start: (link) => {
          this.#pending.delete(waiting);
          resolve(link);
        },
        fail: (failure) => {
          this.#pending.delete(waiting);
          reject(failure);
        },
        expire: () => waiting.fail(refusal(this.address, new Error("connection timed out"))),
      };
      this.#admit(waiting, now);
    });
  }

  #admit(pending: Pending, nowMs: number): void {
    this.#pending.add(pending);
    const state = this.#state;
    if (state.kind === "ready" && state.link.usable) pending.start(state.link);
    else if (state.kind === "closed") pending.fail(refusal(this.address, new Error("closed")));
    else if (state.kind === "down" && nowMs < state.untilMs) pending.fail(refusal(this.address, state.cause));
    else if (state.kind !== "connecting") this.#becomeConnecting(nowMs);
  }

  #becomeConnecting(nowMs: number): void {
    const link = new Link(this.#destination, this.#tls, this.#clock);
    this.#links.add(link);
    this.#state = { kind: "connecting", link, sinceMs: nowMs };
    // The server's settings are its first words as gRPC; a listening socket alone proves nothing.
    link.session.once("remoteSettings", () => this.#becomeReady(link));
    link.session.on("goaway", () => this.#leave(link));
    link.session.on("error", (cause) => this.#becomeDown(link, cause));
    link.session.once("close", () => this.#becomeDown(link, new Error("connection closed")));
  }

  #becomeReady(link: Link): void {
    if (this.#state.kind !== "connecting" || this.#state.link !== link) return;
    this.#state = { kind: "ready", link };
    this.#failedAttempts = 0;
    link.heard();
    for (const pending of this.#pending) if (pending.link === undefined) pending.start(link);
  }

  /** A connection that was up is made anew by the next call; one that never was is left alone for a while. */
  #becomeDown(link: Link, cause: unknown): void {
    const state = this.#state;
    if (state.kind === "connecting" && state.link === link) {
      const restMs = Math.min(RETRY_AFTER_MS * 2 ** this.#failedAttempts, RETRY_AFTER_MAX_MS);
      this.#failedAttempts += 1;
      this.#state = { kind: "down", untilMs: this.#clock.monotonicMs() + restMs, cause };
      this.#failWaiting(cause);
    }
    this.#drop(link, false);
  }

  #leave(link: Link): void {
    if (this.#state.kind === "ready" && this.#state.link === link) this.#state = { kind: "idle" };
  }

  #drop(link: Link, silent: boolean): void {
    this.#leave(link);
    if (!this.#links.delete(link)) return;
    link.session.destroy();
    const message = silent ? `${this.address} does not answer` : `connection to ${this.address} lost`;
    for (const pending of this.#pending) {
      if (pending.link === link) pending.fail(new TransportFailure("lost", message, { reached: true, silent }));
    }
  }

  #failWaiting(cause: unknown): void {
    const failure = refusal(this.address, cause);
    for (const pending of this.#pending) if (pending.link === undefined) pending.fail(failure);
  }
}

function refusal(address: string, cause: unknown): TransportFailure {
  return new TransportFailure("refused", `no connection to ${address}`, { reached: false, silent: true, cause });
}
