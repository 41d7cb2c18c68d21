// Takes TLS connections for the gRPC server and remembers who is at the other end of each.
//
// grpc-js can listen with TLS itself, but tells a caller's certificate only by decoding it anew for
// every call (60 µs, a quarter of a whole call), and cannot be given another certificate.
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { Logger } from "@steppe/model";
import { type CertificateName, certificateNames } from "./certificate-names.ts";
import type { TlsIdentity } from "./tls-identity.ts";

export interface TlsListener {
  readonly port: number;
  /** Names of the caller at `address:port`; none when no connection from there is open. */
  namesOf(peer: string): readonly CertificateName[];
  /** Takes no new connections. */
  close(): void;
}

export interface TlsListenerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly identity: TlsIdentity;
  readonly logger: Logger;
  take(connection: TLSSocket): void;
}

/** A caller that says nothing for this long after it connected is let go. */
const HANDSHAKE_TIMEOUT_MS = 5_000;

/** Listens. Rejects when the port cannot be had. */
export async function listenTls({ host, port, identity, logger, take }: TlsListenerOptions): Promise<TlsListener> {
  const callers = new Map<string, readonly CertificateName[]>();
  const server = createServer({
    ...identity.material,
    minVersion: identity.minVersion,
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ["h2"],
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    noDelay: true,
  });
  server.on("secureConnection", (socket) => {
    const peer = peerOf(socket);
    const names = certificateNames(socket.getPeerCertificate().subjectaltname);
    callers.set(peer, names);
    socket.once("close", () => {
      // The port may already be another connection's.
      if (callers.get(peer) === names) callers.delete(peer);
    });
    take(socket);
  });
  server.on("tlsClientError", (error, socket) => {
    logger.warn({ from: socket.remoteAddress, reason: error.message }, "refused a connection without proper TLS");
  });
  await listening(server, host, port);
  identity.onReplace((material) => server.setSecureContext({ ...material, minVersion: identity.minVersion }));
  return {
    port: (server.address() as AddressInfo).port,
    namesOf: (peer) => callers.get(peer) ?? [],
    close: () => void server.close(),
  };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** As grpc-js tells a call's peer. */
function peerOf({ remoteAddress, remotePort }: TLSSocket): string {
  return `${remoteAddress}:${remotePort}`;
}
