import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import type { FastifyInstance, FastifyListenOptions } from "fastify";

/**
 * In each turn of the event loop, Node takes one connection of a listening socket (libuv since 1.49,
 * https://github.com/libuv/libuv/pull/3696). A server that is busy has long turns: a crowd that connects to it at once
 * would wait for as many of them as it has clients. So several sockets share the port.
 */
const SOCKETS = 16;

interface Place {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** Listens, once; the end of the app ends it. Rejects when the port cannot be had. */
export async function listen(app: FastifyInstance, { host, port }: Place): Promise<void> {
  // Node counts a TLS connection with the server that unwraps it, not with the one that took it: neither would close.
  if (process.platform !== "linux" || app.server instanceof TlsServer) {
    await app.listen({ host, port });
    return;
  }
  const others: Server[] = [];
  let closed: Promise<unknown> = Promise.resolve();
  app.addHook("preClose", async () => {
    closed = Promise.all(others.map(close));
  });
  app.addHook("onClose", () => closed.then(() => undefined));
  // Sockets that share a port share it with those of another process of this user: only one that does not is refused.
  if (port !== 0) await close(await listening({ host, port }));
  const options: FastifyListenOptions & { reusePort: boolean } = { host, port, reusePort: true };
  await app.listen(options);
  const bound = app.server.address() as AddressInfo;
  const take = (socket: Socket) => void app.server.emit("connection", socket);
  const place = { host: bound.address, port: bound.port, reusePort: true };
  others.push(...(await Promise.all(Array.from({ length: SOCKETS - 1 }, () => listening(place, take)))));
}

async function listening(place: Place & { reusePort?: boolean }, take?: (socket: Socket) => void): Promise<Server> {
  // As `node:http` makes its own.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, take);
  server.listen(place);
  await once(server, "listening");
  return server;
}

function close(server: Server): Promise<unknown> {
  const closed = once(server, "close");
  server.close();
  return closed;
}
