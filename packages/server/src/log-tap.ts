import type { LogLevel, LogLine } from "@steppe/http";
import type { Clock, Logger } from "@steppe/model";

/** Lines kept for a reader that is slow; then the oldest are dropped, and it is told how many. */
const LINES_MAX = 512;

const RANK: Readonly<Record<LogLevel, number>> = { trace: 0, debug: 1, info: 2, warn: 3, error: 4 };

/** Lets others read along what is logged, at any level, whatever the log itself keeps. */
export class LogTap {
  readonly #clock: Clock;
  readonly #readers: Set<Reader> = new Set();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The same logger, read along. `bindings`: what its every line has. Children write to it too, so its level is theirs. */
  wrap(logger: Logger, bindings?: Readonly<Record<string, unknown>>): Logger {
    const at = (level: "debug" | "info" | "warn" | "error") => (given: object, message: string) => {
      const fields = bindings === undefined ? given : { ...bindings, ...given };
      logger[level](fields, message);
      if (this.#readers.size > 0) this.#publish(level, { ...fields }, message);
    };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (more) => this.wrap(logger, { ...bindings, ...more }),
    };
  }

  /** Lines from now on, of that level or above, until the signal aborts. */
  async *read(level: LogLevel, signal: AbortSignal): AsyncGenerator<LogLine> {
    const reader = new Reader(RANK[level]);
    this.#readers.add(reader);
    const stop = () => reader.wake();
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        const line = reader.next(this.#clock.wallNs());
        if (line !== undefined) yield line;
        else await reader.woken(signal);
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.#readers.delete(reader);
    }
  }

  #publish(level: LogLevel, fields: Readonly<Record<string, unknown>>, message: string): void {
    const line = { time: this.#clock.wallNs(), level, message, fields: shown(fields) };
    for (const reader of this.#readers) if (RANK[level] >= reader.rank) reader.add(line);
  }
}

class Reader {
  readonly rank: number;
  readonly #lines: LogLine[] = [];
  #dropped = 0;
  wake: () => void = () => undefined;

  constructor(rank: number) {
    this.rank = rank;
  }

  add(line: LogLine): void {
    this.#lines.push(line);
    if (this.#lines.length > LINES_MAX) {
      this.#lines.shift();
      this.#dropped += 1;
    }
    this.wake();
  }

  next(now: number): LogLine | undefined {
    if (this.#dropped === 0) return this.#lines.shift();
    const fields = { lines: this.#dropped };
    this.#dropped = 0;
    return { time: now, level: "warn", message: "Monitor dropped logs", fields };
  }

  woken(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      if (signal.aborted) resolve();
    });
  }
}

/** Errors as their chain of messages: their stacks are in the log itself. */
function shown(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? chainOf(value) : value]),
  );
}

function chainOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${chainOf(error.cause)}` : error.message;
}
