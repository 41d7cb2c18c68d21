/**
 * Between a break and the log: a server whose connection to the log was lost, or whose log is ordered by somebody else
 * now, may look at another log than before, one that lost its tail or came back from a backup. It may itself be behind
 * and find nothing wrong, while another server acknowledged what the log lacks.
 *
 * 1. After each break, and at the start, the fence is up. While it is, nothing of the log is read into the journal,
 *    nothing is sent to it, and nobody is told how fresh the log is.
 * 2. It comes down when the log holds, record for record, what this server holds and what the region's other servers
 *    say they hold. Those that do not answer within a second are not waited for.
 * 3. Where the log goes on lacking something for longer than an election takes, it is lost, for this server too: the
 *    server settles with the others which log to follow (settle.ts), with the report of whoever holds more in hand.
 *
 * What a server answers has to stay true: it says it once all that it took from the log before is in its journal.
 */
import type { Logger } from "@steppe/model";
import { AppendError, LogGapError } from "../log.ts";
import { noQuorum } from "../proposals.ts";
import type { RegionLog } from "../region-log.ts";
import { createSignalGate } from "../signal-gate.ts";
import { judge, type LogSight, type Report } from "./decide.ts";
import { type HearNeeds, hearOthers } from "./others.ts";

/** How long the log has to lack something before that is believed: a leader that was just elected may not know all yet. */
export const DOUBT_MS = 5000;
const RETRY_MS = 50;
/** How long an append waits before it is given back unsent. */
const HOLD_MS = 1000;
/** As long as the log itself goes on asking. */
const ASK_MS = 5000;

export interface FenceNeeds extends HearNeeds {
  readonly log: Pick<RegionLog, "identity" | "span" | "markAt" | "onBreak">;
  readonly logger: Logger;
  /** What this server holds, once nothing is on its way into the journal. */
  own(): Promise<Report>;
}

export class Fence {
  readonly #needs: FenceNeeds;
  readonly #down = createSignalGate();
  readonly #stopListening: () => void;
  /** Breaks so far. */
  #breaks = 0;
  #why = "this server starts";
  /** Aborts with the break that ends the stretch in which the log is trusted; undefined while the fence is up. */
  #sound: AbortController | undefined;
  #closed = false;

  constructor(needs: FenceNeeds) {
    this.#needs = needs;
    this.#stopListening = needs.log.onBreak((why) => this.#raise(why));
  }

  get isUp(): boolean {
    return this.#sound === undefined;
  }

  /** For the one reader of the log. Resolves when the log may be read, with a signal that aborts at the next break. Rejects with `LogGapError`. */
  async pass(signal: AbortSignal): Promise<AbortSignal> {
    const { clock, logger } = this.#needs;
    const startedMs = clock.monotonicMs();
    let breaks: number;
    do {
      breaks = this.#breaks;
      await this.#compare(signal);
    } while (breaks !== this.#breaks);
    logger.info(
      { why: this.#why, ms: Math.round(clock.monotonicMs() - startedMs) },
      "the log holds what its servers do",
    );
    this.#sound = new AbortController();
    this.#down.open();
    return this.#sound.signal;
  }

  /** Before something is sent. Rejects with `AppendError`, "refused", when it takes long. */
  async beforeAppend(signal?: AbortSignal): Promise<void> {
    if (await this.#isDownWithin(HOLD_MS, signal)) return;
    throw new AppendError("refused", `the log is compared with what its servers hold: ${this.#why}`);
  }

  /** Asks how far the log goes. Rejects as `ask` does, and with `no-quorum` when the fence is up for long. */
  async question<T>(ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (;;) {
      if (this.isUp && !(await this.#isDownWithin(ASK_MS, signal))) throw noQuorum();
      const breaks = this.#breaks;
      const answer = await ask();
      // One that was asked before a break may be answered by another log.
      if (breaks === this.#breaks || this.#closed) return answer;
    }
  }

  close(): void {
    this.#closed = true;
    this.#stopListening();
    this.#down.open();
  }

  #raise(why: string): void {
    this.#breaks++;
    this.#why = why;
    this.#sound?.abort();
    this.#sound = undefined;
  }

  /** True also once it is closed: then the log itself says so. */
  async #isDownWithin(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
    const { clock } = this.#needs;
    const done = new AbortController();
    const late = clock.after(ms, done.signal).then(
      () => done.abort(),
      () => undefined,
    );
    const stop = signal === undefined ? done.signal : AbortSignal.any([signal, done.signal]);
    while (this.isUp && !this.#closed && !stop.aborted) await this.#down.wait(stop);
    const isDown = !this.isUp || this.#closed;
    done.abort();
    await late;
    signal?.throwIfAborted();
    return isDown;
  }

  /** Resolves when the log holds what everybody says. */
  async #compare(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#needs;
    const breaks = this.#breaks;
    const own = await this.#needs.own();
    let others = await hearOthers(this.#needs, signal);
    let doubtSince: number | undefined;
    while (breaks === this.#breaks) {
      try {
        const lacking = await this.#lacking([own, ...others], signal);
        if (lacking === undefined) return;
        const now = clock.monotonicMs();
        doubtSince ??= now;
        if (now - doubtSince >= DOUBT_MS) throw lacking;
        logger.debug({ why: lacking.message }, "the log does not hold what its servers do, so far");
        others = await hearOthers(this.#needs, signal);
      } catch (error) {
        if (error instanceof LogGapError) throw error;
        signal.throwIfAborted();
        // A NATS cluster without a leader proves nothing.
        doubtSince = undefined;
        logger.debug({ err: error }, "cannot look at the log now");
      }
      await clock.after(RETRY_MS, signal);
    }
  }

  async #lacking(reports: readonly Report[], signal: AbortSignal): Promise<LogGapError | undefined> {
    const span = await this.#needs.log.span(signal);
    for (const report of reports) {
      const { position } = report;
      const isOwn = report === reports[0];
      const who = isOwn ? undefined : report.name;
      const verdict = judge(position, span && (await this.#sight(span, position.last, signal)), who);
      if (verdict.kind === "lost") return new LogGapError(verdict.why, isOwn ? undefined : report);
    }
    return undefined;
  }

  async #sight(span: { first: number; last: number }, index: number, signal: AbortSignal): Promise<LogSight> {
    const { log } = this.#needs;
    const { first, last } = span;
    const has = index > log.identity.base && first <= index && index <= last;
    return { identity: log.identity, first, last, mark: has ? await log.markAt(index, signal) : undefined };
  }
}
