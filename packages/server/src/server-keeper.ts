import { LogGapError } from "@steppe/log";
import { type Clock, type Logger, SteppeError } from "@steppe/model";
import { DigestMismatchError } from "@steppe/state";
import type { Server } from "./server.ts";

/** What a start of the server is given. */
export interface StartNeeds {
  readonly signal: AbortSignal;
  /** Why the log that was followed before was left. */
  readonly lost: LogGapError | undefined;
  onFatal(error: Error): void;
}

export interface KeeperNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The server cannot go on, nor would it help to start it again. */
  onFatal(error: Error): void;
}

const RETRY_MS = 1000;
/** So often within that time a server whose state differs from the leader's begins anew. */
const MISMATCHES_MAX = 3;
const MISMATCH_WITHIN_MS = 600_000;

/**
 * The server of an agent, started again in this process when the log it followed is lost, or led it elsewhere than the others: the new one
 * settles which log to follow before it serves. In between there is none, and requests answer 503.
 */
export class ServerKeeper {
  readonly #start: (needs: StartNeeds) => Promise<Server>;
  readonly #needs: KeeperNeeds;
  readonly #closing = new AbortController();
  #server: Server | undefined;
  #restarting: Promise<void> | undefined;
  #mismatchesMs: readonly number[] = [];

  constructor(start: (needs: StartNeeds) => Promise<Server>, needs: KeeperNeeds) {
    this.#start = start;
    this.#needs = needs;
  }

  get server(): Server | undefined {
    return this.#server;
  }

  async start(lost?: LogGapError): Promise<void> {
    this.#server = await this.#start({
      signal: this.#closing.signal,
      lost,
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
    if (error instanceof LogGapError || this.#mayBeOfAnotherLog(error)) void this.restart(error);
    else this.#needs.onFatal(error);
  }

  /**
   * A state that differs from the leader's at an equal index came from other entries, as when NATS came back with an
   * older log, or from a fault of this machine. What is on its disk is loaded and compared anew; should that lead to
   * another state time after time, the process ends.
   */
  #mayBeOfAnotherLog(error: Error): boolean {
    if (!(error instanceof DigestMismatchError)) return false;
    const nowMs = this.#needs.clock.monotonicMs();
    this.#mismatchesMs = [...this.#mismatchesMs.filter((ms) => nowMs - ms < MISMATCH_WITHIN_MS), nowMs];
    return this.#mismatchesMs.length <= MISMATCHES_MAX;
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
        await this.start(why instanceof LogGapError ? why : undefined);
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
