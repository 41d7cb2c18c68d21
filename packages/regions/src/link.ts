// One HTTP/2 connection to a server, and what is known of its health.
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect as connectTcp, isIP, type TcpNetConnectOpts } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import type { Clock } from "@steppe/model";
import { splitAddress } from "./address.ts";
import { serverRefusal } from "./admission.ts";
import { CallStream } from "./call-stream.ts";
import { type CertificateName, certificateNames } from "./certificate-names.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/** Where a connection leads: which region's server must be there (undefined: any region's). */
export interface Destination {
  readonly address: string;
  readonly region: string | undefined;
}

/** Bytes a peer may send before it must wait for us; lists of other regions come over long lines. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/** A ping is sent when nothing was heard for this long… */
const PING_AFTER_MS = 1_000;
/** …and a server that stays silent this long after it has hung. Together: noticed within 3 s. */
const PING_TIMEOUT_MS = 2_000;

export class Link {
  readonly session: ClientHttp2Session;
  /** Carries the unary calls. */
  readonly calls: CallStream = new CallStream(this);
  /** When anything last came from the server, on the monotonic clock. */
  heardMs: number;
  #pingedMs: number | undefined;
  #clock: Clock;

  constructor({ address, region }: Destination, tls: TlsIdentity | undefined, clock: Clock) {
    const { host, port } = splitAddress(address);
    this.#clock = clock;
    this.heardMs = clock.monotonicMs();
    this.session = connectHttp2(`${tls ? "https" : "http"}://${address}`, {
      createConnection: () => (tls === undefined ? dial(host, port) : dialTls(host, port, region, tls)),
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
      // Megabytes; the default of 10 refuses streams while a few large answers are under way.
      maxSessionMemory: 1024,
    });
  }

  heard(): void {
    this.heardMs = this.#clock.monotonicMs();
    this.#pingedMs = undefined;
  }

  /** Names in the server's certificate; undefined without TLS. */
  get names(): readonly CertificateName[] | undefined {
    const { socket } = this.session;
    if (!(socket instanceof TLSSocket)) return undefined;
    return certificateNames(socket.getPeerCertificate().subjectaltname);
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

function dial(host: string, port: number) {
  return connectTcp({ host, port, noDelay: true });
}

function dialTls(host: string, port: number, region: string | undefined, tls: TlsIdentity) {
  const target: TcpNetConnectOpts = { host, port, noDelay: true };
  return connectTls({
    ...target,
    ...tls.material,
    minVersion: tls.minVersion,
    // An address is not allowed as SNI.
    servername: isIP(host) === 0 ? host : "",
    ALPNProtocols: ["h2"],
    // Names tell role and region, not hosts: servers are dialled at whatever address they advertise.
    checkServerIdentity: (_host, { subjectaltname }) =>
      tls.verifyNames ? serverRefusal(certificateNames(subjectaltname), region) : undefined,
  });
}
