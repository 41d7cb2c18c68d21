import { call } from "./api.ts";

/** One write that was answered with yes; times are of `performance.now()`. */
export interface PacedWrite {
  /** When it was due: what a server holds up counts for those behind it, too. */
  readonly due: number;
  readonly end: number;
}

/** So many variables in turn: no write waits for the one before of the same. */
const PATHS = 64;

/** Writes variables at a fixed rate, whatever the answers take, to servers in turn. */
export class PacedWriter implements AsyncDisposable {
  readonly written: PacedWrite[] = [];
  /** Answers other than yes. */
  readonly failed: string[] = [];
  readonly #servers: readonly string[];
  readonly #timer: NodeJS.Timeout;
  readonly #open = new Set<Promise<void>>();
  #count = 0;

  constructor(servers: readonly string[], perSecond: number) {
    this.#servers = servers;
    const everyMs = 1000 / perSecond;
    const begun = performance.now();
    this.#timer = setInterval(() => {
      for (let due = begun + this.#count * everyMs; due <= performance.now(); due += everyMs) this.#write(due);
    }, everyMs / 5);
  }

  tookBetween(from: number, to: number): number[] {
    return this.written.filter(({ due }) => due >= from && due < to).map(({ due, end }) => end - due);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
  }

  #write(due: number): void {
    const n = this.#count++;
    const path = `paced/${n % PATHS}`;
    const url = `${this.#servers[n % this.#servers.length]}/v1/var/${path}`;
    const write = call("PUT", url, { Path: path, Items: { n: String(n) } }).then(
      ({ status, text }) => {
        if (status === 200) this.written.push({ due, end: performance.now() });
        else this.failed.push(text);
      },
      (error: unknown) => void this.failed.push(String(error)),
    );
    this.#open.add(write);
    void write.finally(() => this.#open.delete(write));
  }
}
