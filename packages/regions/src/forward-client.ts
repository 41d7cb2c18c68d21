// Hands out a region's services: the local ones, or a stub that calls a server of that region.
//
// 1. A forwarded request carries the hop mark and, for a write, a request ID, which stays the same
//    over all tries, so that the region can tell a repeat.
// 2. A server that gives no answer is left for the next one, and so is one that answers `no-quorum`: it is cut
//    off from its region's log, did nothing, and its neighbours may be in touch. Any other answer, with an
//    error too, is the last word.
// 3. A request takes at most `timeoutMs`, and never more than 5 s, beyond the time that a blocking
//    read asks for.
// 4. The server that last answered is asked first: its connection is warm.
import { type Call, type Clock, type Logger, type Random, SteppeError } from "@steppe/model";
import type { QueryOptions, WriteOptions } from "@steppe/proto";
import { blockingMs, queryOf } from "./blocking.ts";
import type { Channels } from "./channels.ts";
import type { Directory, RegionServer } from "./directory.ts";
import { type GrpcMethod, grpcMethods } from "./grpc-definition.ts";
import {
  type AnyMethod,
  type AnyStream,
  mapRegionServices,
  REGION_DEFINITIONS,
  type RegionServices,
} from "./region-services.ts";
import { noPathToRegion, type RegionView, routeRequest } from "./route.ts";
import { firstThatStreams, isCutOff } from "./stream-call.ts";
import { TransportFailure } from "./transport-failure.ts";

const FORWARD_TIMEOUT_MS = 5_000;

export interface Router {
  /** Services of `region` (empty: the own). Those of an unknown region refuse every call. */
  route(region: string, forwarded?: boolean): RegionServices;
}

export interface RouterOptions {
  readonly self: { readonly region: string };
  readonly directory: Directory;
  readonly local: RegionServices;
  readonly channels: Channels;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export function createRouter(options: RouterOptions): Router {
  const { self, directory, local, clock } = options;
  const view: RegionView = {
    knows: (region) => directory.knows(region, clock.monotonicMs()),
    servers: (region) => directory.servers(region, clock.monotonicMs()),
  };
  const stubs = new Map<string, RegionServices>();
  const refusing = mapRegionServices(
    () => () => Promise.reject(noPathToRegion()),
    () => () => firstThatStreams<never>([], (none) => none, noPathToRegion),
  );
  return {
    route(region, forwarded = false) {
      const route = routeRequest({ region, forwarded }, self, view);
      if (route.kind === "local") return local;
      if (route.kind === "refuse") return refusing;
      let stub = stubs.get(region);
      if (stub === undefined) {
        const forwarder = new Forwarder(region, options, view);
        stub = mapRegionServices(
          (service, method) => forwarder.method(service, method),
          (service, method) => forwarder.stream(service, method),
        );
        stubs.set(region, stub);
      }
      return stub;
    },
  };
}

const METHODS = Object.fromEntries(
  Object.entries(REGION_DEFINITIONS).map(([service, definition]) => [service, grpcMethods(definition)]),
) as Record<keyof RegionServices, Record<string, GrpcMethod<object, object>>>;

function methodOf(service: keyof RegionServices, name: string): GrpcMethod<object, object> {
  const method = METHODS[service][name];
  if (method === undefined) throw new Error(`no method ${service}.${name}`);
  return method;
}

/** What one call has met so far. */
interface Attempts {
  readonly write: boolean;
  readonly timeoutMs: number;
  /** A server may have got the request and not answered it. */
  reached: boolean;
  last: TransportFailure | undefined;
  /** What a server said that can do nothing. */
  refusal: SteppeError | undefined;
}

class Forwarder {
  #region: string;
  #options: RouterOptions;
  #view: RegionView;
  /** Name of the server that last answered. */
  #preferred: string | undefined;

  constructor(region: string, options: RouterOptions, view: RegionView) {
    this.#region = region;
    this.#options = options;
    this.#view = view;
  }

  method(service: keyof RegionServices, name: string): AnyMethod {
    const method = methodOf(service, name);
    // An empty message tells which kind of request this is.
    const blank = method.decodeRequest(new Uint8Array(0));
    if ("Write" in blank) return (request, call) => this.#forward(method, this.#markWrite(request), call, true);
    if ("Query" in blank) return (request, call) => this.#forward(method, this.#markQuery(request), call, false);
    const mark = { Region: this.#region, Forwarded: true };
    return (request, call) => this.#forward(method, { ...request, ...mark }, call, false);
  }

  /** Streams are reads. They have no time limit, so only their beginning is tried again elsewhere. */
  stream(service: keyof RegionServices, name: string): AnyStream {
    const method = methodOf(service, name);
    const { channels } = this.#options;
    return (request, { signal }) =>
      firstThatStreams(
        this.#candidates(),
        (server) => channels.to(server.address, this.#region).stream(method, this.#markQuery(request), signal),
        (cause) => (isCutOff(cause) ? noLeader(cause) : noPathToRegion(cause)),
      );
  }

  #markQuery(request: object): object {
    const query = (request as { Query?: QueryOptions }).Query;
    return { ...request, Query: { ...(query ?? NO_QUERY), Region: this.#region, Forwarded: true } };
  }

  #markWrite(request: object): object {
    const write = (request as { Write?: WriteOptions }).Write ?? NO_WRITE;
    const RequestID = write.RequestID || this.#options.random.id();
    return { ...request, Write: { ...write, RequestID, Region: this.#region, Forwarded: true } };
  }

  async #forward(method: GrpcMethod<object, object>, request: object, call: Call, write: boolean): Promise<object> {
    const { clock, channels } = this.#options;
    const startedMs = clock.monotonicMs();
    const timeoutMs = Math.min(call.timeoutMs, FORWARD_TIMEOUT_MS) + blockingMs(queryOf(request));
    const attempts: Attempts = { write, timeoutMs, reached: false, last: undefined, refusal: undefined };
    const queue = this.#candidates();
    this.#warm(queue);
    let leftMs = timeoutMs;
    // Grows while it is walked: see `again`.
    for (const server of queue) {
      try {
        const options = { signal: call.signal, timeoutMs: leftMs };
        const answer = await channels.to(server.address, this.#region).unary(method, request, options);
        this.#answered(server);
        return answer;
      } catch (error) {
        if (isCutOff(error)) this.#passedOver(server, error, attempts);
        else if (error instanceof TransportFailure) this.#failed(server, error, attempts);
        else throw this.#answeredError(error, attempts, server);
        this.#warm(queue);
        leftMs = startedMs + timeoutMs - clock.monotonicMs();
        if (leftMs <= 0 || (error instanceof TransportFailure && error.kind === "deadline")) break;
        if (error instanceof TransportFailure && again(error, server, queue)) queue.push(server);
      }
    }
    throw exhausted(this.#region, attempts);
  }

  /**
   * Unless the first is connected, connects to all: where a whole region has vanished, connections time out
   * at once and not one after the other.
   */
  #warm([first, ...others]: readonly RegionServer[]): void {
    const channelTo = (server: RegionServer) => this.#options.channels.to(server.address, this.#region);
    if (first === undefined || channelTo(first).state === "ready") return;
    for (const server of [first, ...others]) channelTo(server).warm();
  }

  /** The preferred server first; without one, the live ones from a random place on, to spread the load. */
  #candidates(): RegionServer[] {
    const route = routeRequest({ region: this.#region, forwarded: false }, this.#options.self, this.#view);
    if (route.kind !== "forward") throw noPathToRegion();
    const { servers } = route;
    const live = servers.filter((server) => server.alive);
    let first = live.findIndex((server) => server.name === this.#preferred);
    if (first < 0) first = Math.floor(this.#options.random.fraction() * live.length);
    if (first === 0) return [...servers];
    return [...live.slice(first), ...live.slice(0, first), ...servers.slice(live.length)];
  }

  #answered(server: RegionServer): void {
    this.#preferred = server.name;
    this.#heard(server);
  }

  #heard(server: RegionServer): void {
    if (!server.alive) this.#options.directory.heard(server.name, this.#options.clock.monotonicMs());
  }

  #answeredError(error: unknown, attempts: Attempts, server: RegionServer): unknown {
    if (!(error instanceof SteppeError)) return error;
    this.#answered(server);
    // After a try without an answer, only a result of the log is one: it is that of the first try.
    if (attempts.write && attempts.reached && INCONCLUSIVE.has(error.code)) return outcomeUnknown(this.#region, error);
    return error;
  }

  #passedOver(server: RegionServer, refusal: SteppeError, attempts: Attempts): void {
    attempts.refusal = refusal;
    if (this.#preferred === server.name) this.#preferred = undefined;
    this.#heard(server);
  }

  #failed(server: RegionServer, failure: TransportFailure, attempts: Attempts): void {
    attempts.reached ||= failure.reached;
    attempts.last = failure;
    if (failure.kind === "deadline" && !failure.silent) return;
    this.#preferred = undefined;
    if (!failure.silent) return;
    this.#options.directory.suspect(server.name);
    const { logger } = this.#options;
    logger.warn(
      { err: failure, server: server.name, region: this.#region },
      "server of another region does not answer",
    );
  }
}

const INCONCLUSIVE = new Set(["no-leader", "no-path-to-region", "timeout", "internal"]);

const NO_QUERY: QueryOptions = {
  Region: "",
  Namespace: "",
  Prefix: "",
  MinQueryIndex: 0,
  MaxQueryTime: 0,
  AllowStale: false,
  Consistent: false,
  AuthToken: "",
  Filter: "",
  PerPage: 0,
  NextToken: "",
  Reverse: false,
  Forwarded: true,
};

const NO_WRITE: WriteOptions = {
  Region: "",
  Namespace: "",
  AuthToken: "",
  RequestID: "",
  Fingerprint: "",
  Forwarded: true,
};

/** A connection that broke under the call says little of the server behind it: once more, after the others. */
function again(failure: TransportFailure, server: RegionServer, queue: readonly RegionServer[]): boolean {
  return failure.kind === "lost" && !failure.silent && queue.filter((it) => it === server).length === 1;
}

function exhausted(region: string, attempts: Attempts): SteppeError {
  const { last, refusal, reached, write } = attempts;
  if (write && reached) return outcomeUnknown(region, last ?? refusal);
  if (refusal !== undefined) return noLeader(refusal);
  if (last?.kind === "deadline" && !last.silent) {
    const text = `Region "${region}" did not answer within ${Math.round(attempts.timeoutMs)} ms`;
    return new SteppeError("timeout", text, { cause: last });
  }
  return noPathToRegion(last);
}

function noLeader(cause: unknown): SteppeError {
  return new SteppeError("no-leader", "No cluster leader", { cause });
}

function outcomeUnknown(region: string, cause: unknown): SteppeError {
  const text =
    `No answer came from region "${region}": the write may or may not have taken effect. ` +
    "Sending it again with the same Idempotency-Key is safe.";
  return new SteppeError("outcome-unknown", text, { cause });
}
