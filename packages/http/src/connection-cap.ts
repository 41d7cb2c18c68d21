import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "@steppe/model";

const TEXT = "Your IP is issuing too many concurrent connections, please rate limit your calls\n";
const REPLY = [
  "HTTP/1.1 429 Too Many Requests",
  "Content-Type: text/plain",
  `Content-Length: ${TEXT.length}`,
  "Connection: close",
  "",
  TEXT,
].join("\r\n");

// Who opens connections without end is told so a few times, and then only cut off: answers cost more than they help.
const REPLIES_PER_SECOND = 10;
const REPLIES_BURST = 100;

/**
 * Bounds how many connections one address may have at a time; 0: any number. What is above never reaches the server's own
 * listener, which would read and serve requests on it. `isPlain`: those above are told why; under TLS nobody could
 * read it before a handshake, and they are only cut off.
 */
export function capConnections(server: Server, max: () => number, clock: Clock, isPlain: boolean): void {
  const open = new Map<string, number>();
  const replies = new Allowance(clock);
  const serve = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const count = (open.get(address) ?? 0) + 1;
    if (max() > 0 && count > max()) {
      refuse(socket, isPlain && replies.take());
      return;
    }
    open.set(address, count);
    socket.once("close", () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
    for (const listener of serve) listener.call(server, socket);
  });
}

function refuse(socket: Socket, isTold: boolean): void {
  socket.on("error", () => socket.destroy());
  if (!isTold) {
    socket.destroy();
    return;
  }
  // What it sends is read and thrown away, else the close would reset the connection before the answer is read.
  socket.resume();
  socket.end(REPLY, () => socket.destroySoon());
}

/** A bucket that fills by the second. */
class Allowance {
  readonly #clock: Clock;
  #left = REPLIES_BURST;
  #atMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#atMs = clock.monotonicMs();
  }

  take(): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#left = Math.min(REPLIES_BURST, this.#left + ((nowMs - this.#atMs) / 1000) * REPLIES_PER_SECOND);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
