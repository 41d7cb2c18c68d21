// Worlds for the tests of this package: services that answer what a test says, servers on loopback.
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { type Call, type Clock, type Logger, silentLogger } from "@steppe/model";
import { Member } from "@steppe/proto";
import { createClock, createRandom } from "@steppe/runtime";
import { type Channels, createChannels } from "./channels.ts";
import { createDirectory, type Directory } from "./directory.ts";
import { createRouter, type Router } from "./forward-client.ts";
import { createGrpcServer, type GrpcServer, type Implementations } from "./forward-server.ts";
import { type AnyMethod, type AnyStream, mapRegionServices, type RegionServices } from "./region-services.ts";

export const clock = createClock();
export const random = createRandom();

export const quiet = silentLogger;

/** A logger that keeps what it is told. */
export function recordingLogger(): Logger & { readonly lines: { level: string; fields: object; message: string }[] } {
  const lines: { level: string; fields: object; message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message });
  const logger = {
    lines,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => logger,
  };
  return logger;
}

/** Region services in which only the named methods (`jobs.get`) answer. */
export function services(
  methods: Record<string, (request: never, call: Call) => Promise<object> | AsyncIterable<object>>,
): RegionServices {
  const unexpected = (service: string, method: string) => new Error(`unexpected call of ${service}.${method}`);
  return mapRegionServices(
    (service, method) => {
      const given = methods[`${service}.${method}`] as AnyMethod | undefined;
      return given ?? (() => Promise.reject(unexpected(service, method)));
    },
    (service, method) => {
      const given = methods[`${service}.${method}`] as unknown as AnyStream | undefined;
      if (given !== undefined) return given;
      return () => {
        throw unexpected(service, method);
      };
    },
  );
}

export function member(name: string, region: string, fields: Partial<Member> = {}): Member {
  return Member.create({
    Name: name,
    Region: region,
    Address: "127.0.0.1",
    Incarnation: 1,
    Status: "alive",
    ...fields,
  });
}

export function call(fields: Partial<Call> = {}): Call {
  return { signal: new AbortController().signal, timeoutMs: 5_000, ...fields };
}

/** Closes what was opened, in reverse. */
export class Cleanup {
  #tasks: (() => Promise<void> | void)[] = [];

  add(task: () => Promise<void> | void): void {
    this.#tasks.push(task);
  }

  async run(): Promise<void> {
    for (const task of this.#tasks.splice(0).reverse()) await task();
  }
}

export async function serve(cleanup: Cleanup, implementations: Implementations, logger = quiet): Promise<GrpcServer> {
  const server = await createGrpcServer({ host: "127.0.0.1", port: 0, clock, logger }, implementations);
  cleanup.add(() => server.close(0));
  return server;
}

export function connect(cleanup: Cleanup, time: Clock = clock): Channels {
  const channels = createChannels({ clock: time, logger: quiet });
  cleanup.add(() => channels.close());
  return channels;
}

export interface Caller {
  readonly router: Router;
  readonly directory: Directory;
}

/** A server of region `us` that knows servers of region `eu` at these ports, in this order. */
export function caller(
  cleanup: Cleanup,
  euPorts: readonly number[],
  { local = services({}), time = clock }: { local?: RegionServices; time?: Clock } = {},
): Caller {
  const directory = createDirectory({ self: member("us-1.us", "us") });
  const members = euPorts.map((port, index) => member(`eu-${index + 1}.eu`, "eu", { GrpcPort: port, Heartbeat: 1 }));
  directory.merge(members, time.monotonicMs());
  const first = { ...random, fraction: () => 0 };
  const channels = connect(cleanup, time);
  const self = { region: "us" };
  const router = createRouter({ self, directory, local, channels, clock: time, random: first, logger: quiet });
  return { router, directory };
}

/** A listener that is no gRPC server; `onConnection` plays its part. */
export function listenTcp(cleanup: Cleanup, onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onConnection(socket);
  });
  cleanup.add(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
}

/** Nobody listens on it: it belongs to a service of the 1980s and needs root. */
export const REFUSING_PORT = 1;

/** A clock that moves only when told. */
export class SteppedClock implements Clock {
  #nowMs = 0;
  #sleepers = new Set<{ untilMs: number; wake: () => void }>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallNs(): number {
    return this.#nowMs * 1e6;
  }

  after(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { untilMs: this.#nowMs + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
    });
  }

  /** In small steps, giving sockets a turn after each. */
  async advance(ms: number): Promise<void> {
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs; ) {
      this.#nowMs = Math.min(endMs, this.#nowMs + 50);
      for (const sleeper of this.#sleepers) {
        if (sleeper.untilMs > this.#nowMs) continue;
        this.#sleepers.delete(sleeper);
        sleeper.wake();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** Passes bytes between its port and `port` until told to stop doing so, as a stopped process does. */
export async function freezableProxy(cleanup: Cleanup, port: number): Promise<{ port: number; freeze(): void }> {
  let frozen = false;
  const proxyPort = await listenTcp(cleanup, (near) => {
    const far = createConnection({ host: "127.0.0.1", port });
    far.on("error", () => {});
    cleanup.add(() => void far.destroy());
    near.on("data", (bytes) => frozen || far.write(bytes));
    far.on("data", (bytes) => frozen || near.write(bytes));
  });
  return {
    port: proxyPort,
    freeze() {
      frozen = true;
    },
  };
}

/** Resolves when `resolve` is called; for what a test waits for. */
export function deferred<T = void>() {
  return Promise.withResolvers<T>();
}
