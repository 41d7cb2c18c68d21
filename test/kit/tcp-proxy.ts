// A TCP link that can be made bad: slow, stuttering, silent one way or both, or cut.
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";

/** `up`: from those who connect to the target. */
export type Direction = "up" | "down";

/** What happens to bytes on their way. */
export interface LinkQuality {
  /** Added to each piece, milliseconds. */
  readonly delayMs: number;
  /** Bytes a second. */
  readonly rate: number;
  /**
   * Share of pieces, 0 to 1, that come `STALL_MS` late with all behind them: what a lost packet does to a TCP
   * connection, whose bytes are sent again and stay in order.
   */
  readonly loss: number;
}

const GOOD: LinkQuality = { delayMs: 0, rate: Number.POSITIVE_INFINITY, loss: 0 };
/** Bytes under way; who sends more has to wait. */
const QUEUE_MAX = 1024 * 1024;
/** TCP's shortest retransmission time-out on Linux. */
const STALL_MS = 200;

export class TcpProxy implements AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly #close: () => void;
  readonly #pairs: Set<readonly Socket[]>;
  #quality: LinkQuality = GOOD;
  readonly #silent: Set<Direction> = new Set();
  readonly #random: () => number;

  private constructor(address: string, close: () => void, pairs: Set<readonly Socket[]>, random: () => number) {
    this.address = address;
    this.#close = close;
    this.#pairs = pairs;
    this.#random = random;
  }

  /** `target`: `host:port`. */
  static async to(target: string, options: { readonly random?: () => number } = {}): Promise<TcpProxy> {
    const [host = "", port] = target.split(":");
    const pairs = new Set<readonly Socket[]>();
    const server = createServer((near) => {
      const far = createConnection({ host, port: Number(port), noDelay: true });
      near.setNoDelay(true);
      const pair = [near, far];
      pairs.add(pair);
      const end = () => {
        pairs.delete(pair);
        near.destroy();
        far.destroy();
      };
      for (const socket of pair) socket.on("error", end).on("close", end);
      proxy.#carry(near, far, "up");
      proxy.#carry(far, near, "down");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port: own } = server.address() as AddressInfo;
    const proxy = new TcpProxy(`127.0.0.1:${own}`, () => server.close(), pairs, options.random ?? Math.random);
    return proxy;
  }

  /** Bytes go nowhere from now on, and nobody is told: a partition. New connections are taken and hear nothing. */
  silence(...directions: readonly Direction[]): void {
    for (const direction of directions.length > 0 ? directions : (["up", "down"] as const)) this.#silent.add(direction);
  }

  degrade(quality: Partial<LinkQuality>): void {
    this.#quality = { ...GOOD, ...quality };
  }

  /** Good again. Connections that lost bytes are reset: TCP would have noticed the hole. */
  heal(): void {
    if (this.#silent.size > 0) this.reset();
    this.#silent.clear();
    this.#quality = GOOD;
  }

  /** Breaks all connections; new ones are taken. */
  reset(): void {
    for (const sockets of this.#pairs) for (const socket of sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    this.reset();
  }

  #carry(from: Socket, to: Socket, direction: Direction): void {
    let freeAtMs = 0;
    let queued = 0;
    from.on("data", (bytes) => {
      if (this.#silent.has(direction)) return;
      const { delayMs, rate, loss } = this.#quality;
      const now = performance.now();
      const stallMs = this.#random() < loss ? STALL_MS : 0;
      // The line is taken for as long as the piece needs; what comes after waits behind it.
      freeAtMs = Math.max(freeAtMs, now) + stallMs + (bytes.length / rate) * 1000;
      const waitMs = freeAtMs + delayMs - now;
      if (waitMs < 1 && queued === 0) return void to.write(bytes);
      queued += bytes.length;
      if (queued > QUEUE_MAX) from.pause();
      setTimeout(() => {
        queued -= bytes.length;
        if (!to.destroyed && !this.#silent.has(direction)) to.write(bytes);
        if (queued <= QUEUE_MAX) from.resume();
      }, waitMs);
    });
  }
}
