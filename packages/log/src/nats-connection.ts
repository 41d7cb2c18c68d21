import { readFile } from "node:fs/promises";
import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type NatsConnection,
  type TlsOptions,
} from "@nats-io/transport-node";
import type { Logger } from "@steppe/model";

export interface NatsOptions {
  /** `nats://host:port`, `tls://host:port` or `host:port`; at least one. */
  readonly servers: readonly string[];
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** Path of a credentials file (JWT and seed). */
  readonly creds?: string;
  readonly tls?: TlsOptions;
  /** Shown by the NATS server's monitoring. */
  readonly name: string;
  readonly logger: Logger;
  /** How long to go on trying at first, milliseconds; default 10 s. Later, it tries for ever. */
  readonly connectTimeoutMs?: number;
}

const DEFAULTS = {
  connectTimeoutMs: 10_000,
  /** One dial may take this long: a host that drops packets must not hold up the next server. */
  dialTimeoutMs: 2000,
  /** Three unanswered pings mean a dead server: noticed after 3 to 4 s where TCP would take minutes. */
  pingIntervalMs: 1000,
  pingsOut: 3,
  reconnectMinMs: 100,
  reconnectMaxMs: 250,
} as const;

/**
 * Connects, and from then on reconnects for ever, to the servers given and those they tell of.
 * Rejects with "cannot reach NATS at …" when none was reached in time, and at once when the
 * credentials are refused. The caller closes the connection.
 */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const deadline = performance.now() + (options.connectTimeoutMs ?? DEFAULTS.connectTimeoutMs);
  const settings = await connectionOptions(options);
  for (;;) {
    try {
      const connection = await connect(settings);
      report(connection, options.logger);
      return connection;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const final = (error as Error | undefined)?.name === "AuthorizationError";
      if (final || performance.now() >= deadline) {
        throw new Error(`cannot reach NATS at ${options.servers.join(", ")}: ${reason}`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, DEFAULTS.reconnectMaxMs));
    }
  }
}

async function connectionOptions(options: NatsOptions): Promise<ConnectionOptions> {
  const { user, pass, token, creds, tls } = options;
  return {
    servers: [...options.servers],
    name: options.name,
    timeout: Math.min(DEFAULTS.dialTimeoutMs, options.connectTimeoutMs ?? DEFAULTS.connectTimeoutMs),
    pingInterval: DEFAULTS.pingIntervalMs,
    maxPingOut: DEFAULTS.pingsOut,
    maxReconnectAttempts: -1,
    // A password may be changed on the servers one by one.
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () =>
      DEFAULTS.reconnectMinMs + Math.random() * (DEFAULTS.reconnectMaxMs - DEFAULTS.reconnectMinMs),
    ignoreClusterUpdates: false,
    // A stack trace for every request costs more than the request.
    noAsyncTraces: true,
    ...(user !== undefined && { user }),
    ...(pass !== undefined && { pass }),
    ...(token !== undefined && { token }),
    ...(creds !== undefined && { authenticator: credsAuthenticator(await readFile(creds)) }),
    ...(tls !== undefined && { tls }),
  };
}

/** Tells the logger what happens to the connection, until it is closed. */
async function report(connection: NatsConnection, logger: Logger): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === "disconnect") logger.warn({ server: status.server }, "lost the connection to NATS");
    else if (status.type === "reconnect") logger.info({ server: status.server }, "connected to NATS again");
    else if (status.type === "staleConnection") logger.warn({}, "NATS does not answer pings");
    else if (status.type === "error") logger.error({ err: status.error }, "NATS reports an error");
    else if (status.type === "ldm") logger.info({ server: status.server }, "NATS server is about to stop");
  }
}
