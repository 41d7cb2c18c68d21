import { LogGapError } from "@steppe/log";
import { type Clock, type Logger, SteppeError } from "@steppe/model";
import type { Server } from "./server.ts";

/** What a start of the server is given. */
export interface StartNeeds {
  readonly signal: AbortSignal;
  onFatal(error: Error): void;
}

export interface KeeperNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The server cannot go on, nor would it help to start it again. */
  onFatal(error: Error): void;
}

const RETRY_MS = 1000;

/**
 * The server of an agent, started again in this process when the log it followed is lost: the new one
 * settles which log to follow before it serves. In between there is none, and requests answer 503.
 */
export class ServerKeeper {
  readonly #start: (needs: StartNeeds) => Promise<Server>;
  readonly #needs: KeeperNeeds;
  readonly #closing = new AbortController();
  #server: Server | undefined;
  #restarting: Promise<void> | undefined;

  constructor(start: (needs: StartNeeds) => Promise<Server>, needs: KeeperNeeds) {
    this.#start = start;
    this.#needs = needs;
  }

  get server(): Server | undefined {
    return this.#server;
  }

  async start(): Promise<void> {
    this.#server = await this.#start({
      signal: this.#closing.signal,
      onFatal: (error) => this.#failed(error),
    });
  }

  /** Closes the server and starts it again. */
  restart(why: unknown): Promise<void> {
    this.#restarting ??= this.#again(why).finally(() => {
      this.#restarting = undefined;
    });
    return this.#restarting;
  }

  /** See `Server.handOver`. */
  async handOver(): Promise<void> {
    await this.#server?.handOver();
  }

  async close(): Promise<void> {
    this.#closing.abort(new SteppeError("no-quorum", "this agent is shutting down"));
    await this.#restarting;
    await this.#server?.close();
  }

  #failed(error: Error): void {
    if (error instanceof LogGapError) void this.restart(error);
    else this.#needs.onFatal(error);
  }

  async #again(why: unknown): Promise<void> {
    const { clock, logger } = this.#needs;
    const { signal } = this.#closing;
    logger.warn({ err: why }, "the server starts again to settle which log it follows");
    const before = this.#server;
    this.#server = undefined;
    await before?.close().catch((err: unknown) => logger.warn({ err }, "the server did not close cleanly"));
    while (!signal.aborted) {
      try {
        await this.start();
        logger.info({}, "the server serves again");
        return;
      } catch (err) {
        if (signal.aborted) return;
        logger.error({ err }, "the server cannot start; trying again");
        await clock.after(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }
}
