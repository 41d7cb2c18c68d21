// The servers of the region, one of which is talked to until it fails.
import type { Clock, Random } from "@steppe/model";
import type { Connect, NodeAgentServer } from "./needs.ts";

/** A unary call that has no answer by then counts as failed. */
const CALL_TIMEOUT_MS = 10_000;

export class ServerPool {
  readonly #connect: Connect;
  readonly #clock: Clock;
  readonly #random: Random;
  #configured: readonly string[];
  readonly #connections = new Map<string, NodeAgentServer>();
  #known: readonly string[] = [];
  #current: string;
  #moved = new AbortController();

  constructor(configured: readonly string[], connect: Connect, clock: Clock, random: Random) {
    if (configured.length === 0) throw new Error("a node agent needs the address of at least one server");
    this.#configured = configured;
    this.#connect = connect;
    this.#clock = clock;
    this.#random = random;
    this.#current = this.#pick(configured);
  }

  /** Address of the server in use. */
  get current(): string {
    return this.#current;
  }

  /** Aborts when another server is taken: streams from this one are to be given up. */
  get moved(): AbortSignal {
    return this.#moved.signal;
  }

  server(): NodeAgentServer {
    const known = this.#connections.get(this.#current);
    if (known !== undefined) return known;
    const made = this.#connect(this.#current);
    this.#connections.set(this.#current, made);
    return made;
  }

  /** The servers as one of them tells them. Those of the configuration stay as a last resort. */
  learn(addresses: readonly string[]): void {
    if (addresses.length > 0) this.#known = addresses;
  }

  get addresses(): readonly string[] {
    return this.#addresses();
  }

  /** These in place of the configured ones, and of what servers told. */
  replace(addresses: readonly string[]): void {
    if (addresses.length === 0) return;
    this.#configured = addresses;
    this.#known = [];
    if (!addresses.includes(this.#current)) this.moveOnFrom(this.#current);
  }

  /** Takes another server, if there is one, unless somebody has moved on from `failed` already. */
  moveOnFrom(failed: string): void {
    if (failed !== this.#current) return;
    const others = this.#addresses().filter((address) => address !== failed);
    if (others.length === 0) return;
    this.#current = this.#pick(others);
    this.#moved.abort();
    this.#moved = new AbortController();
  }

  /** One call of the server in use, bounded in time. When it fails without an answer, the pool moves on. */
  async call<T>(signal: AbortSignal, make: (server: NodeAgentServer, signal: AbortSignal) => Promise<T>): Promise<T> {
    const address = this.#current;
    const done = new AbortController();
    const timeout = new AbortController();
    this.#clock.after(CALL_TIMEOUT_MS, done.signal).then(
      () => timeout.abort(new Error(`no answer from ${address} in ${CALL_TIMEOUT_MS} ms`)),
      () => {
        // Answered in time.
      },
    );
    const either = AbortSignal.any([signal, timeout.signal]);
    try {
      return await Promise.race([make(this.server(), either), rejection(either)]);
    } catch (error) {
      if (!signal.aborted) this.moveOnFrom(address);
      throw error;
    } finally {
      done.abort();
    }
  }

  #addresses(): readonly string[] {
    return [...new Set([...this.#known, ...this.#configured])];
  }

  #pick(addresses: readonly string[]): string {
    const index = Math.floor(this.#random.fraction() * addresses.length);
    return addresses[index] ?? (addresses[0] as string);
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
