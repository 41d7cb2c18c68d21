import { randomUUID } from "node:crypto";
import { call } from "./api.ts";
import { mockTaskJob } from "./jobs.ts";
import { longestGap } from "./samples.ts";

/** One acknowledged write; times are of `performance.now()`. */
export interface Written {
  readonly start: number;
  readonly end: number;
}

/** A server that gives no answer for so long is left. */
const TRY_TIMEOUT_MS = 2_000;

/** A client that registers a job over and over. It stays with a server until that fails it, then tries the next with the same key. */
export class SteadyWriter implements AsyncDisposable {
  readonly written: Written[] = [];
  readonly #job: string;
  readonly #servers: readonly string[];
  readonly #pauseMs: number;
  #server: number;
  #stopped = false;
  readonly #running: Promise<void>;

  /** `servers`: HTTP addresses; it begins with number `first`. */
  constructor(job: string, servers: readonly string[], options: { first?: number; pauseMs?: number } = {}) {
    this.#job = job;
    this.#servers = servers;
    this.#server = options.first ?? 0;
    this.#pauseMs = options.pauseMs ?? 10;
    this.#running = this.#run();
  }

  /** How long each write between two moments took, milliseconds. */
  tookBetween(from: number, to: number): number[] {
    return this.written.filter(({ start }) => start >= from && start < to).map(({ start, end }) => end - start);
  }

  /** Longest time without an acknowledged write between two moments. */
  longestGap(from: number, to: number): number {
    return longestGap(
      this.written.map(({ end }) => end),
      from,
      to,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const start = performance.now();
      const headers = { "Idempotency-Key": randomUUID() };
      while (!this.#stopped && !(await this.#try(headers))) this.#server = (this.#server + 1) % this.#servers.length;
      this.written.push({ start, end: performance.now() });
      await new Promise((resolve) => setTimeout(resolve, this.#pauseMs));
    }
  }

  async #try(headers: Record<string, string>): Promise<boolean> {
    const url = `${this.#servers[this.#server]}/v1/job/${this.#job}`;
    const body = { Job: mockTaskJob(this.#job, { count: 0 }) };
    try {
      return (await call("PUT", url, body, { headers, timeoutMs: TRY_TIMEOUT_MS })).status === 200;
    } catch {
      // Any failure to answer is the same to this client.
      return false;
    }
  }
}
