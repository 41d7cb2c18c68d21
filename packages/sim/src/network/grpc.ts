/**
 * gRPC between processes: what `packages/regions` has in `Channel` and `createGrpcServer`, over the simulated network.
 * Messages pass through the real codecs; services, router, directory and node sessions on both sides are the real ones.
 *
 * - A server that is dead refuses; a connection that breaks under a call fails it with `reached`; a server or way that
 *   falls silent is noticed by pings within 3 s, on both sides.
 */
import { type Call, type Logger, SteppeError } from "@steppe/model";
import { MembershipDefinition, NodeAgentsDefinition } from "@steppe/proto";
import {
  type Channels,
  type GrpcServer,
  type Implementations,
  type ServerChannel,
  TransportFailure,
} from "@steppe/regions";
import {
  blockingMs,
  CLOSING,
  decodeError,
  encodeError,
  type GrpcMethod,
  grpcMethods,
  queryOf,
  REGION_DEFINITIONS,
  type UnaryOptions,
  type WireStatus,
} from "@steppe/regions/internal";
import type { CallWatch } from "../checks/blocking.ts";
import { Lane, type Life } from "../kernel/life.ts";
import type { Network } from "./network.ts";

/** As in `packages/regions`: a connection attempt, and pings, give up after so long. */
const CONNECT_TIMEOUT_MS = 2000;
const PINGED_OUT_MS = 3000;
const SILENT_AFTER_MS = 1900;
const TIMEOUT_DEFAULT_MS = 30_000;

const CONNECTION = { kept: 1, mayBeLost: false };

type AnyMethod = (request: object, call: Call) => Promise<object> | AsyncIterable<object>;

interface Served {
  readonly grpc: GrpcMethod<object, object>;
  readonly method: AnyMethod;
}

interface Listener {
  readonly life: Life;
  readonly methods: ReadonlyMap<string, Served>;
  readonly open: Map<AbortController, boolean>;
  isClosing: boolean;
}

export class GrpcNet {
  readonly #network: Network;
  readonly #listeners: Map<string, Listener> = new Map();
  watch: CallWatch = { arrived: () => ({}), answered: () => undefined };

  constructor(network: Network) {
    this.#network = network;
  }

  /** What a server process listens with. */
  listen(life: Life, address: string): (implementations: Implementations) => Promise<GrpcServer> {
    return async (implementations) => {
      const listener: Listener = { life, methods: servedMethods(implementations), open: new Map(), isClosing: false };
      this.#listeners.set(address, listener);
      life.onEnd(() => this.#leave(address, listener));
      return {
        port: Number(address.split(":")[1]),
        close: async () => {
          listener.isClosing = true;
          this.#leave(address, listener);
          for (const [controller, held] of listener.open) if (held) controller.abort(new Error(CLOSING.message));
        },
      };
    };
  }

  #leave(address: string, listener: Listener): void {
    if (this.#listeners.get(address) === listener) this.#listeners.delete(address);
  }

  channels(life: Life): Channels {
    const made = new Map<string, ServerChannel>();
    return {
      to: (address) => {
        let channel = made.get(address);
        if (channel === undefined) {
          channel = this.#channel(life, address);
          made.set(address, channel);
        }
        return channel;
      },
      close: () => made.clear(),
    };
  }

  #channel(life: Life, address: string): ServerChannel {
    return {
      address,
      state: "ready",
      names: undefined,
      warm: () => undefined,
      unary: (method, request, options) => this.#unary(life, address, method as GrpcMethod, request, options) as never,
      stream: (method, request, signal) => this.#stream(life, address, method as GrpcMethod, request, signal) as never,
    };
  }

  #unary(life: Life, address: string, method: GrpcMethod, request: unknown, options: UnaryOptions): Promise<unknown> {
    const { signal, timeoutMs } = options;
    if (signal.aborted) return Promise.reject(signal.reason);
    const body = method.encodeRequest(request);
    return new Promise((resolve, reject) => {
      const exchange = new Exchange(life, signal, reject);
      exchange.deadline(timeoutMs);
      life.effect(() =>
        this.#open(life, address, exchange, (listener) => {
          const served = listener.methods.get(method.path);
          const answer = (result: Uint8Array | WireStatus) =>
            this.#reply(listener.life, exchange, () => {
              if (result instanceof Uint8Array) exchange.end(() => resolve(method.decodeResponse(result)));
              else exchange.end(() => reject(decodeError(result)));
            });
          if (served === undefined) return answer({ status: 12, message: `${method.path} is not served here` });
          void this.#answerUnary(listener, served, body, timeoutMs, exchange).then(answer);
        }),
      );
    });
  }

  async #answerUnary(
    { life, open, isClosing }: Listener,
    { grpc, method }: Served,
    body: Uint8Array,
    timeoutMs: number,
    exchange: Exchange,
  ): Promise<Uint8Array | WireStatus> {
    const request = grpc.decodeRequest(body);
    const held = blockingMs(queryOf(request));
    const controller = new AbortController();
    open.set(controller, held > 0);
    exchange.onGone = () => controller.abort(new Error("the caller has gone"));
    if (isClosing && held > 0) controller.abort(new Error(CLOSING.message));
    const watched = this.watch.arrived(life, grpc.path, request);
    let answer: object | undefined;
    try {
      const left = timeoutMs === Number.POSITIVE_INFINITY ? TIMEOUT_DEFAULT_MS : Math.max(1, timeoutMs - held);
      answer = await (method(request, { signal: controller.signal, timeoutMs: left }) as Promise<object>);
      return grpc.encodeResponse(answer).slice();
    } catch (error) {
      return statusOf(error, controller.signal, grpc.path, life.logger);
    } finally {
      this.watch.answered(watched, answer);
      open.delete(controller);
    }
  }

  async *#stream(
    life: Life,
    address: string,
    method: GrpcMethod,
    request: unknown,
    signal: AbortSignal,
  ): AsyncGenerator<unknown> {
    signal.throwIfAborted();
    const body = method.encodeRequest(request);
    const inbox = new Inbox();
    const exchange = new Exchange(life, signal, (error) => inbox.fail(error));
    life.effect(() =>
      this.#open(life, address, exchange, (listener) => {
        const served = listener.methods.get(method.path);
        if (served === undefined) return;
        void this.#answerStream(listener, served, body, exchange, inbox, new Lane(life));
      }),
    );
    try {
      for (;;) {
        const message = await inbox.next();
        if (message === undefined) break;
        yield method.decodeResponse(message);
      }
    } finally {
      exchange.end(() => undefined);
      exchange.gone();
    }
    signal.throwIfAborted();
  }

  async #answerStream(
    { life, open }: Listener,
    { grpc, method }: Served,
    body: Uint8Array,
    exchange: Exchange,
    inbox: Inbox,
    lane: Lane,
  ): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    open.set(controller, true);
    exchange.onGone = () => controller.abort(new Error("the caller has gone"));
    const tell = (take: () => void) =>
      life.effect(() =>
        this.#network.send(life.name, exchange.life.name, CONNECTION, (atMs) => lane.post(atMs, "stream", take)),
      );
    try {
      const call = { signal, timeoutMs: Number.POSITIVE_INFINITY };
      for await (const message of method(grpc.decodeRequest(body), call) as AsyncIterable<object>) {
        if (signal.aborted) break;
        const bytes = grpc.encodeResponse(message).slice();
        tell(() => inbox.add(bytes));
      }
      signal.throwIfAborted();
      tell(() => inbox.end());
    } catch (error) {
      const status = statusOf(error, signal, grpc.path, life.logger);
      tell(() => exchange.fail(decodeError(status)));
    } finally {
      open.delete(controller);
    }
  }

  /** Brings the request to whoever listens; watches over the connection until the exchange has ended. */
  #open(life: Life, address: string, exchange: Exchange, arrived: (listener: Listener) => void): void {
    const place = address.split(":")[0] as string;
    const connectBy = life.clock.monotonicMs() + CONNECT_TIMEOUT_MS;
    this.#network.send(life.name, place, CONNECTION, (atMs) =>
      life.kernel.at(atMs, `${place} call`, () => {
        const listener = this.#listeners.get(address);
        if (exchange.hasEnded) return;
        if (listener === undefined || listener.isClosing) {
          return this.#refuse(
            place,
            life,
            exchange,
            new TransportFailure("refused", `${address}: connection refused`, { reached: false, silent: true }),
          );
        }
        // The connection is made by the machine, whether or not the process runs.
        exchange.connected = true;
        listener.life.onEnd(() =>
          this.#refuse(
            place,
            life,
            exchange,
            new TransportFailure("lost", `connection to ${address} lost`, { reached: true, silent: false }),
          ),
        );
        listener.life.post(life.kernel.nowMs, "call arrives", () => {
          if (!exchange.hasEnded) arrived(listener);
        });
      }),
    );
    this.#watch(life, place, address, exchange, connectBy);
  }

  #refuse(place: string, life: Life, exchange: Exchange, failure: TransportFailure): void {
    this.#network.send(place, life.name, CONNECTION, (atMs) =>
      life.post(atMs, "connection ends", () => exchange.fail(failure)),
    );
  }

  /** What pings tell of a way that is cut, or of a server that stands still. */
  #watch(life: Life, place: string, address: string, exchange: Exchange, connectByMs: number): void {
    const look = (silentSinceMs: number) => {
      if (exchange.hasEnded) return;
      const nowMs = life.clock.monotonicMs();
      const listener = this.#listeners.get(address);
      const answers =
        this.#network.isOpen(life.name, place) &&
        this.#network.isOpen(place, life.name) &&
        listener?.life.isPaused !== true;
      const since = answers ? nowMs : silentSinceMs;
      if (!exchange.connected && nowMs >= connectByMs) {
        return exchange.fail(
          new TransportFailure("refused", `${address}: connection timed out`, { reached: false, silent: true }),
        );
      }
      if (nowMs - since >= PINGED_OUT_MS) {
        return exchange.fail(
          new TransportFailure("lost", `${address} does not answer`, { reached: true, silent: true }),
        );
      }
      exchange.silentSinceMs = since;
      life.post(life.kernel.nowMs + 500, "ping", () => look(since));
    };
    look(life.clock.monotonicMs());
  }

  #reply(from: Life, exchange: Exchange, take: () => void): void {
    from.effect(() =>
      this.#network.send(from.name, exchange.life.name, CONNECTION, (atMs) => exchange.life.post(atMs, "answer", take)),
    );
  }
}

/** Why a timer ends early. One for all: the default reason is a new exception with its stack trace. */
const SETTLED = new Error("settled");

/** One call as its caller has it. */
class Exchange {
  readonly life: Life;
  connected = false;
  silentSinceMs: number;
  hasEnded = false;
  /** Tells the server's side that nobody waits any more. */
  onGone: () => void = () => undefined;
  readonly #signal: AbortSignal;
  readonly #reject: (error: unknown) => void;
  readonly #abort = () => this.fail(this.#signal.reason);
  readonly #startedMs: number;
  readonly #done = new AbortController();

  constructor(life: Life, signal: AbortSignal, reject: (error: unknown) => void) {
    this.life = life;
    this.#signal = signal;
    this.#reject = reject;
    this.#startedMs = life.clock.monotonicMs();
    this.silentSinceMs = this.#startedMs;
    signal.addEventListener("abort", this.#abort, { once: true });
    life.onEnd(() => {
      this.end(() => undefined);
      this.gone();
    });
  }

  deadline(timeoutMs: number): void {
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    this.life.clock.after(timeoutMs, this.#done.signal).then(
      () => {
        const nowMs = this.life.clock.monotonicMs();
        const silent =
          nowMs - Math.max(this.#startedMs, this.silentSinceMs) >= SILENT_AFTER_MS && nowMs > this.silentSinceMs + 600;
        this.fail(new TransportFailure("deadline", "no answer in time", { reached: this.connected, silent }));
      },
      () => undefined,
    );
  }

  end(how: () => void): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#done.abort(SETTLED);
    this.#signal.removeEventListener("abort", this.#abort);
    how();
  }

  fail(error: unknown): void {
    if (this.hasEnded) return;
    this.end(() => this.#reject(error));
    this.gone();
  }

  /** The server hears of it a moment later, in an event of its own. */
  gone(): void {
    this.life.kernel.after(1, "the caller has gone", () => this.onGone());
  }
}

/** Messages of a stream that have arrived. */
class Inbox {
  readonly #messages: Uint8Array[] = [];
  #wake: () => void = () => undefined;
  #error: { readonly error: unknown } | undefined;
  #ended = false;

  add(message: Uint8Array): void {
    this.#messages.push(message);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  fail(error: unknown): void {
    this.#error = { error };
    this.#wake();
  }

  /** Undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#error !== undefined) throw this.#error.error;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function servedMethods({ region, membership, nodeAgents }: Implementations): ReadonlyMap<string, Served> {
  const served = new Map<string, Served>();
  const add = (definition: Parameters<typeof grpcMethods>[0], implementation: object) => {
    for (const [name, grpc] of Object.entries<GrpcMethod<object, object>>(grpcMethods(definition) as never)) {
      served.set(grpc.path, { grpc, method: (implementation as Record<string, AnyMethod>)[name] as AnyMethod });
    }
  };
  for (const [name, definition] of Object.entries(REGION_DEFINITIONS)) {
    if (region !== undefined) add(definition, region[name as keyof typeof region]);
  }
  if (membership !== undefined) add(MembershipDefinition, membership);
  if (nodeAgents !== undefined) add(NodeAgentsDefinition, nodeAgents);
  return served;
}

function statusOf(error: unknown, signal: AbortSignal, path: string, logger: Logger): WireStatus {
  const isAborted = signal.aborted && !(error instanceof SteppeError);
  return isAborted ? CLOSING : encodeError(error, path, logger);
}
