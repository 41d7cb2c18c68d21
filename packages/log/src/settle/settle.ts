/**
 * Which log a server follows, decided before it serves anything.
 *
 * 1. The server's own copy (snapshot and journal) is compared with the region's log, and so is what others were heard
 *    to hold. Where the log goes on from all of it, it is followed; a log of a larger epoch has taken the place of ours.
 * 2. Where it does not, and goes on not to for a while (a stream leader that was just elected may
 *    not know all yet), the server says so to the others, every round, with how far its copy goes.
 * 3. When as many as the quorum have said so, the one whose copy goes furthest rebuilds: it seals
 *    what is left of the log, puts its state into a snapshot, and makes a log of the next epoch whose
 *    base is no smaller than any index anybody held. Making it is one atomic step of NATS, and the
 *    name follows from the epoch, so of two that rebuild one wins, and the other follows it.
 * 4. The others wait for that log to be there. Short of a quorum, all wait for an operator.
 *
 * The argument is in docs/durability.md.
 */
import type { Clock, Logger, Random } from "@steppe/model";
import type { RegionBus } from "../bus.ts";
import type { LogIdentity } from "../identity.ts";
import type { FoundLog, RegionLogs } from "../region-logs.ts";
import { judge, type LogSight, type Move, nextMove, type Position, type Report, type Verdict } from "./decide.ts";
import { DOUBT_MS } from "./fence.ts";
import { decodeReport, encodeReport } from "./others.ts";

export const REPORTS = "log.reports";

export interface SettleNeeds {
  /** Of this server, unique in the region. */
  readonly name: string;
  readonly quorum: number | undefined;
  readonly logs: RegionLogs;
  readonly bus: RegionBus;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  position(): Position;
  /** What another server holds that the log lacked, when that is why this one settles anew. */
  readonly evidence?: Report | undefined;
  /** Puts this server's state, as of `identity.base`, into a snapshot of that log, durably here and there. */
  saveState(identity: LogIdentity): Promise<void>;
  /** Index of the newest snapshot of a log, 0 = none. */
  snapshotIndex(log: LogIdentity): Promise<number>;
  /** Whether an operator asked this server to rebuild. */
  rebuildAsked(): Promise<boolean>;
  /** Told of each round that ends in waiting. */
  waiting(text: string): void;
}

export interface Settled {
  readonly identity: LogIdentity;
  readonly verdict: Verdict;
  /** This server rebuilt the log. */
  readonly rebuilt: boolean;
}

const ROUND_MS = 500;
/** A report counts for this long. */
const REPORT_MS = 5 * ROUND_MS;

/** Resolves with the log to follow; until then nothing may be served. Rejects when the signal aborts. */
export async function settle(needs: SettleNeeds, signal: AbortSignal): Promise<Settled> {
  const done = new AbortController();
  try {
    return await new Settlement(needs, AbortSignal.any([signal, done.signal])).run(signal);
  } finally {
    done.abort();
  }
}

class Settlement {
  readonly #needs: SettleNeeds;
  readonly #heard: Map<string, { readonly report: Report; readonly atMs: number }> = new Map();
  /** What others were heard to hold, the last of each. Not forgotten: it was acknowledged, and may be theirs alone. */
  readonly #known: Map<string, Report> = new Map();
  #doubtSince: number | undefined;
  #said = "";
  #rebuilt = false;

  constructor(needs: SettleNeeds, signal: AbortSignal) {
    this.#needs = needs;
    if (needs.evidence !== undefined) this.#known.set(needs.evidence.name, needs.evidence);
    needs.bus.subscribe(REPORTS, (payload) => this.#hear(payload), signal);
  }

  async run(signal: AbortSignal): Promise<Settled> {
    const { clock, logger } = this.#needs;
    for (;;) {
      signal.throwIfAborted();
      try {
        const settled = await this.#round();
        if (settled !== undefined) return settled;
      } catch (err) {
        // A NATS cluster without a leader proves nothing.
        this.#doubtSince = undefined;
        this.#wait(`the region's NATS cluster does not answer: ${err instanceof Error ? err.message : String(err)}`);
        logger.debug({ err }, "cannot look at the region's logs now");
      }
      await clock.after(ROUND_MS, signal);
    }
  }

  async #round(): Promise<Settled | undefined> {
    const { logger, quorum } = this.#needs;
    const own = this.#needs.position();
    const found = await this.#needs.logs.list();
    const open = found.findLast(({ sealed }) => !sealed);
    const verdict = await this.#verdict(open, own);
    if (open !== undefined && (verdict.kind === "follow" || verdict.kind === "adopt")) {
      return { identity: open.identity, verdict, rebuilt: this.#rebuilt };
    }
    if (this.#inDoubt(verdict)) return undefined;
    const report: Report = { name: this.#needs.name, position: own };
    this.#publish(report);
    const others = this.#reports();
    const asked = await this.#needs.rebuildAsked();
    const move = nextMove(report, others, quorum, asked, [...this.#known.values()]);
    const why = verdict.kind === "lost" ? verdict.why : "the region has no log yet";
    if (move.kind === "wait") this.#wait(textOf(why, move, this.#needs.name));
    else if (move.kind === "create") await this.#needs.logs.create({ epoch: 0, id: "", base: 0 });
    else {
      logger.warn({ why, last: own.last, servers: others.length + 1, asked }, "rebuilding the region's log");
      await this.#rebuild(found, [report, ...others, ...this.#known.values()]);
    }
    return undefined;
  }

  /** True: look again in a moment. A log that was never there needs no second look. */
  #inDoubt(verdict: Verdict): boolean {
    if (verdict.kind === "new") return false;
    const now = this.#needs.clock.monotonicMs();
    this.#doubtSince ??= now;
    if (now - this.#doubtSince >= DOUBT_MS) return false;
    this.#wait(verdict.kind === "lost" ? verdict.why : "");
    return true;
  }

  /** A log that goes on from this server's copy is lost all the same when it lacks what another one holds. */
  async #verdict(open: FoundLog | undefined, own: Position): Promise<Verdict> {
    const verdict = judge(own, open && (await this.#sight(open, own)));
    if (verdict.kind !== "follow" && verdict.kind !== "adopt") return verdict;
    for (const { name, position } of this.#known.values()) {
      const of = judge(position, open && (await this.#sight(open, position)), name);
      if (of.kind === "lost") return of;
    }
    return verdict;
  }

  async #sight(log: FoundLog, { identity, last }: Position): Promise<LogSight> {
    const comparable = identity !== undefined && identity.epoch === log.identity.epoch;
    const has = comparable && last > log.identity.base && log.first <= last && last <= log.last;
    return { ...log, mark: has ? await this.#needs.logs.markAt(log.identity, last) : undefined };
  }

  /** `reports`: of all that were ever heard, so that no index is given out twice. */
  async #rebuild(found: readonly FoundLog[], reports: readonly Report[]): Promise<void> {
    const { logs, random } = this.#needs;
    const held = reports.map(({ position }) => position);
    const identities = [...found.map(({ identity }) => identity), ...held.flatMap(({ identity }) => identity ?? [])];
    const snapshots = await Promise.all(identities.map((identity) => this.#needs.snapshotIndex(identity)));
    const identity = {
      epoch: 1 + Math.max(...identities.map(({ epoch }) => epoch)),
      id: random.id().slice(0, 8),
      base: Math.max(0, ...found.map(({ last }) => last), ...held.map(({ last }) => last), ...snapshots),
    };
    // Sealed first: from here on nobody can be told that a write is in the old log.
    for (const log of found) if (!log.sealed) await logs.seal(log.identity);
    await this.#needs.saveState(identity);
    if (await logs.create(identity)) {
      this.#rebuilt = true;
      this.#needs.logger.warn({ ...identity }, "rebuilt the region's log");
    }
  }

  #hear(payload: Uint8Array): void {
    const report = decodeReport(payload);
    if (report.name === this.#needs.name) return;
    this.#heard.set(report.name, { report, atMs: this.#needs.clock.monotonicMs() });
    this.#known.set(report.name, report);
  }

  #reports(): Report[] {
    const since = this.#needs.clock.monotonicMs() - REPORT_MS;
    return [...this.#heard.values()].filter(({ atMs }) => atMs >= since).map(({ report }) => report);
  }

  #publish(report: Report): void {
    this.#needs.bus.publish(REPORTS, encodeReport(report));
  }

  #wait(text: string): void {
    this.#needs.waiting(text);
    if (text === this.#said) return;
    this.#said = text;
    this.#needs.logger.warn({}, `not serving: ${text}`);
  }
}

function textOf(why: string, move: Extract<Move, { kind: "wait" }>, name: string): string {
  if (!move.operator) return `${why}; ${move.why}`;
  return `${why}; ${move.why}. To rebuild from what ${name} holds, run "steppe operator log rebuild" on that server`;
}
