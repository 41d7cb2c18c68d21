// One HTTP/2 connection to a server, and what is known of its health.
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect as connectTcp, isIP, type TcpNetConnectOpts } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock } from "@steppe/model";
import { splitAddress } from "./address.ts";

/** Mutual TLS. Both sides show a certificate that `ca` has signed. PEM. */
export interface TlsOptions {
  readonly ca: string | Buffer;
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Name the server's certificate must carry, where it is not the host that is dialled. */
  readonly serverName?: string;
}

/** Bytes a peer may send before it must wait for us; lists of other regions come over long lines. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/** A ping is sent when nothing was heard for this long… */
const PING_AFTER_MS = 1_000;
/** …and a server that stays silent this long after it has hung. Together: noticed within 3 s. */
const PING_TIMEOUT_MS = 2_000;

export class Link {
  readonly session: ClientHttp2Session;
  /** When anything last came from the server, on the monotonic clock. */
  heardMs: number;
  #pingedMs: number | undefined;
  #clock: Clock;

  constructor(address: string, tls: TlsOptions | undefined, clock: Clock) {
    const { host, port } = splitAddress(address);
    this.#clock = clock;
    this.heardMs = clock.monotonicMs();
    this.session = connectHttp2(`${tls ? "https" : "http"}://${address}`, {
      createConnection: () => dial(host, port, tls),
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
      // Megabytes; the default of 10 refuses streams while a few large answers are under way.
      maxSessionMemory: 1024,
    });
  }

  heard(): void {
    this.heardMs = this.#clock.monotonicMs();
    this.#pingedMs = undefined;
  }

  get usable(): boolean {
    return !this.session.closed && !this.session.destroyed;
  }

  /** Pings when it is time; false: the server has hung. `lateMs` is what this process itself overslept. */
  checkHealth(nowMs: number, lateMs: number): boolean {
    if (this.#pingedMs !== undefined) {
      // Answers may be waiting in our own queue: the server is not to blame for that time.
      this.#pingedMs += lateMs;
      return nowMs - this.#pingedMs <= PING_TIMEOUT_MS;
    }
    if (nowMs - this.heardMs >= PING_AFTER_MS && !this.session.destroyed) {
      this.#pingedMs = nowMs;
      this.session.ping((error) => {
        if (error === null) this.heard();
      });
    }
    return true;
  }
}

function dial(host: string, port: number, tls: TlsOptions | undefined) {
  const target: TcpNetConnectOpts = { host, port, noDelay: true };
  if (tls === undefined) return connectTcp(target);
  const { ca, cert, key, serverName } = tls;
  const name = serverName ?? host;
  // An address is not allowed as SNI; the certificate is checked against `host` all the same.
  const servername = isIP(name) === 0 ? name : "";
  return connectTls({ ...target, ca, cert, key, servername, ALPNProtocols: ["h2"] });
}
