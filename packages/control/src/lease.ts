import type { ClaimLease, Outcome } from "@steppe/proto";
import { Alarm } from "./alarm.ts";
import {
  claimAtMs,
  decideHolder,
  type HeldLease,
  type LeaseTiming,
  type SeenLease,
  see,
  seeAtStart,
  timingOf,
} from "./lease/decide.ts";
import type { LeaseNeeds, LeaseOptions } from "./lease/needs.ts";

/** Runs the duties of one term until the signal aborts; rejects when they cannot be done here. */
export type OnGain = (term: number, signal: AbortSignal) => Promise<void>;

/**
 * Who leads the region, as the log says, and this server's part in it.
 *
 * 1. Duties run only between an acknowledged claim and the first of: a refused renewal, a higher
 *    term in the applied log, the end of the lease by the own monotonic clock, `stop`.
 * 2. The life of a claim counts from before it was sent, and a tenth of it is never used, so the
 *    holder ends first and others begin later, whatever their clocks say: a claim names the last
 *    change of the lease that it waited out, and is refused if there was a later one.
 * 3. Where 2 fails (a process that stood still), the term in each command fences the old holder off.
 * 4. A claim carries the digest of the own state, so that every replica checks itself against it.
 */
export class Leadership {
  readonly #options: LeaseOptions;
  readonly #needs: LeaseNeeds;
  readonly #onGain: OnGain;
  readonly #timing: LeaseTiming;
  readonly #alarm: Alarm = new Alarm();
  readonly #stopping: AbortController = new AbortController();
  #seen: SeenLease;
  #held: HeldLease | undefined;
  #running: Promise<void> | undefined;

  constructor(options: LeaseOptions, needs: LeaseNeeds, onGain: OnGain) {
    this.#options = options;
    this.#needs = needs;
    this.#onGain = onGain;
    this.#timing = timingOf(options.ttlMs ?? TTL_MS);
    const { view, clock } = needs;
    this.#seen = seeAtStart(view.lease, view.time, clock.wallNs(), clock.monotonicMs(), this.#timing);
  }

  /** The term this server acts in, or undefined when it does not lead. */
  get term(): number | undefined {
    return this.#held?.term;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the duties, gives the lease back where it is held, and resolves when both are done. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { view, clock, onApplied } = this.#needs;
    const unsubscribe = onApplied(({ changes }) => {
      if (!changes.lease) return;
      this.#seen = see(view.lease, view.time, clock.monotonicMs());
      this.#alarm.ring();
    });
    try {
      while (!this.#stopping.signal.aborted) {
        await this.#untilClaimable();
        const held = await this.#claim();
        if (held !== undefined) await this.#lead(held);
      }
    } finally {
      unsubscribe();
    }
  }

  async #untilClaimable(): Promise<void> {
    const { clock, random } = this.#needs;
    const { signal } = this.#stopping;
    const jitter = this.#options.isAlone ? 0 : random.fraction();
    for (;;) {
      const waitMs = claimAtMs(this.#seen, jitter, this.#timing) - clock.monotonicMs();
      if (waitMs <= 0 || signal.aborted) return;
      await this.#alarm.wait(clock, waitMs, signal);
    }
  }

  async #claim(): Promise<HeldLease | undefined> {
    const { clock, logger } = this.#needs;
    if (this.#stopping.signal.aborted) return undefined;
    const sentMs = clock.monotonicMs();
    try {
      const outcome = await this.#propose(0, this.#timing.safeForMs, this.#stopping.signal);
      const tooLate = clock.monotonicMs() >= sentMs + this.#timing.safeForMs;
      if (outcome.Refusal === undefined && !tooLate) return this.#hold(outcome.Term, sentMs);
      logger.debug({ reason: outcome.Refusal?.Message ?? "acknowledged too late" }, "lease claim refused");
    } catch (error) {
      if (this.#stopping.signal.aborted) return undefined;
      logger.warn({ err: error }, "lease claim failed");
    }
    await new Alarm().wait(clock, this.#timing.retryMs, this.#stopping.signal);
    return undefined;
  }

  #hold(term: number, sentMs: number): HeldLease {
    return { term, sentMs, renewing: false, renewAtMs: sentMs + this.#timing.renewAfterMs };
  }

  async #lead(held: HeldLease): Promise<void> {
    const { logger } = this.#needs;
    const ended = new AbortController();
    this.#held = held;
    logger.info({ term: held.term }, "leading");
    const duties = this.#onGain(held.term, ended.signal).catch((error) => {
      if (ended.signal.aborted) return;
      logger.error({ err: error, term: held.term }, "leader duties failed");
      ended.abort(error);
      this.#alarm.ring();
    });
    const reason = await this.#keep(ended);
    this.#held = undefined;
    ended.abort(new Error(reason));
    logger.info({ term: held.term, reason }, "no longer leading");
    await duties;
    if (this.#seen.term === held.term) await this.#release(held.term);
  }

  /** Renews until leadership ends; resolves with why it did. */
  async #keep(ended: AbortController): Promise<string> {
    const { clock } = this.#needs;
    for (;;) {
      if (this.#stopping.signal.aborted) return "stopping";
      if (ended.signal.aborted) return String(ended.signal.reason);
      const held = this.#held as HeldLease;
      const action = decideHolder(held, this.#seen, clock.monotonicMs(), this.#timing);
      if (action.kind === "resign") return action.reason;
      if (action.kind === "renew") void this.#renew(held, ended);
      else await this.#alarm.wait(clock, action.ms, this.#stopping.signal);
    }
  }

  async #renew(held: HeldLease, ended: AbortController): Promise<void> {
    const { clock, logger } = this.#needs;
    const sentMs = clock.monotonicMs();
    this.#held = { ...held, renewing: true };
    try {
      const outcome = await this.#propose(held.term, this.#timing.renewAfterMs, ended.signal);
      if (outcome.Refusal === undefined) this.#renewed(held.term, this.#hold(held.term, sentMs));
      else ended.abort(new Error(outcome.Refusal.Message));
    } catch (error) {
      if (ended.signal.aborted) return;
      logger.warn({ err: error, term: held.term }, "lease renewal failed");
      this.#renewed(held.term, { ...held, renewing: false, renewAtMs: clock.monotonicMs() + this.#timing.retryMs });
    }
    this.#alarm.ring();
  }

  /** An answer that comes when the term is over here changes nothing. */
  #renewed(term: number, held: HeldLease): void {
    if (this.#held?.term === term) this.#held = held;
  }

  #propose(term: number, timeoutMs: number, signal: AbortSignal): Promise<Outcome> {
    return this.#needs.propose({ $case: "ClaimLease", value: this.#claimOf(term) }, { signal, timeoutMs });
  }

  #claimOf(Term: number): ClaimLease {
    const { holder: Holder, address: Address, httpAddress: HTTPAddress } = this.#options;
    const { view, digest } = this.#needs;
    // Before the first entry there is nothing to compare, and replicas remember 0 for it.
    const Digest = view.index === 0 ? 0 : digest();
    const compared = { DigestIndex: view.index, Digest };
    const SeenIndex = Term === 0 ? this.#seen.index : undefined;
    return { Holder, Address, HTTPAddress, TTL: this.#timing.ttlMs * 1e6, Term, ...compared, SeenIndex };
  }

  /** So that others need not wait for the lease to run out. Failing costs only that wait. */
  async #release(term: number): Promise<void> {
    const { propose, logger } = this.#needs;
    try {
      await propose({ $case: "ReleaseLease", value: { Term: term, Successor: "" } }, { timeoutMs: this.#timing.ttlMs });
    } catch (error) {
      logger.warn({ err: error, term }, "lease not released; it runs out by itself");
    }
  }
}

const TTL_MS = 3000;
