// The gRPC side of a server: what peers, other regions, node agents and other languages call.
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type Clock, type Logger, MILLISECOND, type ServiceDefinition } from "@steppe/model";
import { CallsDefinition, MembershipDefinition, NodeAgentsDefinition } from "@steppe/proto";
import { joinAddress } from "./address.ts";
import { refusal, type ServiceGroup } from "./admission.ts";
import { answerCall, endOf, type ServedMethod } from "./answer-call.ts";
import type { CertificateName } from "./certificate-names.ts";
import { MESSAGE_BYTES_MAX } from "./frames.ts";
import { type GrpcMethod, grpcJsDefinition, grpcMethods } from "./grpc-definition.ts";
import { CODE_TRAILER, type WireStatus } from "./grpc-errors.ts";
import { multiplexHandler } from "./multiplex.ts";
import { OpenCalls } from "./open-calls.ts";
import { addReflection } from "./reflection/service.ts";
import {
  type AnyMethod,
  type AnyStream,
  type MembershipService,
  type NodeAgentsService,
  REGION_DEFINITIONS,
  type RegionServices,
} from "./region-services.ts";
import type { TlsIdentity } from "./tls-identity.ts";
import { listenTls, type TlsListener } from "./tls-listener.ts";

/** For callers that set no deadline; beyond any time that a blocking read is held. */
const TIMEOUT_DEFAULT_MS = 30_000;

/**
 * A client that does not answer a ping is gone, and what it waits for is dropped. Clients may ping as
 * often as they like. channelz stays on, though nothing reads it: grpc-js 1.14 forgets its sessions
 * without it, and `forceShutdown` cuts none.
 */
const SERVER_OPTIONS = {
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
  "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
};

/** What is served. What is left out is answered with UNIMPLEMENTED. */
export interface Implementations {
  readonly region?: RegionServices;
  readonly membership?: MembershipService;
  readonly nodeAgents?: NodeAgentsService;
}

export interface GrpcServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly tls?: TlsIdentity;
  /** Region of this server, by which callers are judged where there is TLS. */
  readonly region?: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface GrpcServer {
  readonly port: number;
  /**
   * Takes no new calls; streams and blocking reads end at once, so that their callers go elsewhere;
   * other calls have `graceMs` to finish, then they are cut. Resolves when all connections are closed or cut.
   */
  close(graceMs: number): Promise<void>;
}

/** Listens. Rejects when the port cannot be had. */
export async function createGrpcServer(
  options: GrpcServerOptions,
  implementations: Implementations,
): Promise<GrpcServer> {
  const server = new Server(SERVER_OPTIONS);
  const calls = new OpenCalls();
  const listener: { tls?: TlsListener } = {};
  const callerOf = (peer: string) => (options.tls === undefined ? undefined : (listener.tls?.namesOf(peer) ?? []));
  const carried = new Map<string, ServedMethod>();
  for (const [group, definition, implementation] of served(implementations)) {
    const serving: Serving = { ...options, calls, admit: admission(group, options), callerOf };
    server.addService(grpcJsDefinition(definition), handlers(definition, implementation, serving, carried));
  }
  const multiplex = multiplexHandler({ ...options, methods: carried, calls, callerOf });
  server.addService(grpcJsDefinition(CallsDefinition), { multiplex });
  // Open to whoever may connect: it tells the contract, and nothing of the region.
  const definitions = [...served(implementations)].map(([, definition]) => definition);
  addReflection(
    server,
    [...definitions, CallsDefinition].map(({ fullName }) => fullName),
  );
  if (options.tls !== undefined) {
    const { injectConnection } = server.createConnectionInjector(ServerCredentials.createInsecure());
    listener.tls = await listenTls({ ...options, identity: options.tls, take: injectConnection });
  }
  const port = listener.tls?.port ?? (await bind(server, options));
  let closing: Promise<void> | undefined;
  return {
    port,
    close(graceMs) {
      listener.tls?.close();
      closing ??= closeServer(server, calls, options.clock, graceMs);
      return closing;
    },
  };
}

/** Throws what is wrong with a caller of these names; nothing is where there is no TLS. */
function admission(group: ServiceGroup, { tls, region = "" }: GrpcServerOptions): Serving["admit"] {
  return (names) => {
    const error = tls?.verifyNames ? refusal(group, names ?? [], region) : undefined;
    if (error !== undefined) throw error;
  };
}

function* served(given: Implementations): Generator<[ServiceGroup, ServiceDefinition, object]> {
  for (const [name, definition] of Object.entries(REGION_DEFINITIONS)) {
    if (given.region !== undefined) yield ["region", definition, given.region[name as keyof RegionServices]];
  }
  if (given.membership !== undefined) yield ["membership", MembershipDefinition, given.membership];
  if (given.nodeAgents !== undefined) yield ["nodeAgents", NodeAgentsDefinition, given.nodeAgents];
}

function bind(server: Server, { host, port }: GrpcServerOptions): Promise<number> {
  const credentials = ServerCredentials.createInsecure();
  return new Promise((resolve, reject) => {
    server.bindAsync(joinAddress(host, port), credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
}

function closeServer(server: Server, calls: OpenCalls, clock: Clock, graceMs: number): Promise<void> {
  const done = new AbortController();
  const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve())).then(() => done.abort());
  calls.close();
  const cut = clock.after(graceMs, done.signal).then(
    () => {
      calls.abortAll();
      server.forceShutdown();
    },
    () => {},
  );
  // Not both: a client that hangs never confirms the end of its connection.
  return Promise.race([closed, cut]);
}

/** What the handlers of one group of services share. */
interface Serving {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly calls: OpenCalls;
  /** Throws for callers that may not call here. */
  admit(names: readonly CertificateName[] | undefined): void;
  /** Names of the caller at `address:port`; undefined without TLS. */
  callerOf(peer: string): readonly CertificateName[] | undefined;
}

function handlers(
  definition: ServiceDefinition,
  implementation: object,
  serving: Serving,
  carried: Map<string, ServedMethod>,
): UntypedServiceImplementation {
  const made: UntypedServiceImplementation = {};
  for (const [name, grpc] of Object.entries<AnyGrpcMethod>(grpcMethods(definition))) {
    const method = (implementation as Record<string, unknown>)[name];
    if (grpc.responseStream) made[name] = streamHandler(method as AnyStream, grpc, serving);
    else {
      const served = { grpc, method: method as AnyMethod, admit: serving.admit };
      made[name] = unaryHandler(served, serving);
      carried.set(grpc.path, served);
    }
  }
  return made;
}

type AnyGrpcMethod = GrpcMethod<object, object>;

function unaryHandler(served: ServedMethod, serving: Serving) {
  return async (call: ServerUnaryCall<object, Uint8Array>, callback: sendUnaryData<Uint8Array>): Promise<void> => {
    const received = {
      request: () => call.request,
      names: serving.callerOf(call.getPeer()),
      timeoutMs: (heldMs: number) => timeLeft(call, heldMs, serving.clock),
      began: (controller: AbortController) =>
        void call.on("cancelled", () => controller.abort(new Error("the caller has gone"))),
    };
    const answer = await answerCall(served, received, serving);
    if (answer instanceof Uint8Array) callback(null, answer);
    else callback(grpcStatus(answer));
  };
}

function streamHandler(method: AnyStream, grpc: AnyGrpcMethod, { logger, calls, admit, callerOf }: Serving) {
  return async (call: ServerWritableStream<object, Uint8Array>): Promise<void> => {
    const controller = calls.add(true);
    const { signal } = controller;
    call.on("cancelled", () => controller.abort(new Error("the caller has gone")));
    try {
      admit(callerOf(call.getPeer()));
      for await (const message of method(call.request, { signal, timeoutMs: Number.POSITIVE_INFINITY })) {
        if (signal.aborted) break;
        if (!call.write(grpc.encodeResponse(message))) await drained(call, signal);
      }
      signal.throwIfAborted();
      call.end();
    } catch (error) {
      call.emit("error", grpcStatus(endOf(error, signal, grpc.path, logger)));
    } finally {
      calls.remove(controller);
    }
  };
}

function drained(call: ServerWritableStream<object, Uint8Array>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      call.off("drain", go);
      signal.removeEventListener("abort", go);
      resolve();
    };
    call.once("drain", go);
    signal.addEventListener("abort", go);
    if (signal.aborted) go();
  });
}

/** Milliseconds until the caller's deadline, less the time for which a blocking read may be held. */
function timeLeft(call: ServerUnaryCall<object, Uint8Array>, heldMs: number, clock: Clock): number {
  const deadline = Number(call.getDeadline());
  if (deadline === Number.POSITIVE_INFINITY) return TIMEOUT_DEFAULT_MS;
  return Math.max(1, deadline - clock.wallNs() / MILLISECOND - heldMs);
}

function grpcStatus({ status, message, code }: WireStatus) {
  const metadata = new Metadata();
  if (code !== undefined) metadata.set(CODE_TRAILER, code);
  return { code: status, details: message, metadata };
}
