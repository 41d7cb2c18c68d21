import { isOf, type SnapshotAbout } from "@steppe/log";
import type { Clock, Logger } from "@steppe/model";
import { decodeSnapshot, encodeSnapshot } from "@steppe/state";
import type { AgentConfig } from "./config/index.ts";
import { aboutOf } from "./durability/snapshot-about.ts";
import { behind, isSnapshotDue, isUrgent, type SnapshotLimits } from "./durability/snapshot-due.ts";
import type { LocalDisk } from "./open-region.ts";
import type { Replica } from "./replica.ts";
import { catchUp } from "./services/read.ts";

/** Entries kept behind a snapshot, so that replicas a little behind need not load it. */
const TAIL_ENTRIES = 1000;
/** How long one that is asked for waits for what the log holds. */
const CATCH_UP_MS = 10_000;
/** How often it is looked whether one is due. */
const PERIOD_MS = 5000;

export interface SnapshotNeeds {
  readonly config: AgentConfig;
  readonly replica: Pick<Replica, "state" | "log" | "applier" | "freshness" | "proposer">;
  /** Undefined where there is no disk to make them on; then they are made in one go. */
  readonly local: LocalDisk | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether this server also brings them to the log, and cuts it. */
  leads(): boolean;
}

export interface SnapshotKeeper {
  /** Makes snapshots when they are due, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Makes one of all that the log holds now, or of what this server holds when the log cannot be asked, for
   * somebody who waits for it. Resolves with its index.
   */
  take(): Promise<number>;
}

export function keepSnapshots(needs: SnapshotNeeds): SnapshotKeeper {
  const { local, replica } = needs;
  const maker = local && new SnapshotMaker(needs, local);
  return new Keeper(needs, {
    newest: async () => maker?.newest() ?? { index: (await replica.log.firstIndex()) - 1, bytes: 0 },
    make: async (urgent, signal) => maker?.make(urgent, signal) ?? { index: await takeSnapshot(replica), bytes: 0 },
  });
}

interface Snapshot {
  readonly index: number;
  /** Of its file. */
  readonly bytes: number;
}

interface Making {
  /** That is there; index 0: none is. */
  newest(): Promise<Snapshot>;
  make(urgent: boolean, signal: AbortSignal): Promise<Snapshot>;
}

/** Decides when; one at a time. */
class Keeper implements SnapshotKeeper {
  readonly #needs: SnapshotNeeds;
  readonly #making: Making;
  #last: Snapshot = { index: 0, bytes: 0 };
  /** Applied since. */
  #bytes = 0;
  /** At the last look. */
  #bytesBefore = 0;
  #atMs: number;
  #under: Promise<number> | undefined;
  /** One that is being made is given up. */
  readonly #stop = new AbortController();

  constructor(needs: SnapshotNeeds, making: Making) {
    this.#needs = needs;
    this.#making = making;
    this.#atMs = needs.clock.monotonicMs();
    needs.replica.applier.onApplied(({ bytes }) => {
      this.#bytes += bytes;
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#needs;
    signal.addEventListener("abort", () => this.#stop.abort(signal.reason), { once: true });
    let known = false;
    while (!signal.aborted) {
      await clock.after(PERIOD_MS, signal).catch(() => undefined);
      try {
        if (!known && !signal.aborted) this.#last = await this.#making.newest();
        known = true;
        if (!signal.aborted && this.#isDue()) await (this.#under ?? this.#begin(this.#isLate()));
      } catch (err) {
        if (!signal.aborted) logger.error({ err }, "cannot make a snapshot now; journal and log stay as they are");
      }
    }
    await this.#under?.catch(() => undefined);
  }

  async take(): Promise<number> {
    const { replica, clock, logger } = this.#needs;
    try {
      await catchUp(replica, false, CATCH_UP_MS, clock);
    } catch (err) {
      logger.warn({ err }, "the log cannot be asked: the snapshot holds what this server does");
    }
    const { index } = replica.state;
    // The one under way may be of a state before this. The next to begin is not.
    while (this.#under !== undefined) {
      const made = await this.#under.catch(() => 0);
      if (made >= index) return made;
    }
    return await this.#begin(true);
  }

  #begin(urgent: boolean): Promise<number> {
    const under = this.#make(urgent).finally(() => {
      this.#under = undefined;
    });
    this.#under = under;
    return under;
  }

  async #make(urgent: boolean): Promise<number> {
    const { clock, logger } = this.#needs;
    const startedMs = clock.monotonicMs();
    this.#bytes = 0;
    this.#bytesBefore = 0;
    this.#atMs = startedMs;
    this.#last = await this.#making.make(urgent, this.#stop.signal);
    const { index, bytes } = this.#last;
    logger.info({ index, bytes, ms: Math.round(clock.monotonicMs() - startedMs) }, "saved snapshot");
    return index;
  }

  #isLate(): boolean {
    return isUrgent({ entries: this.#entries(), bytes: this.#bytes }, this.#limits());
  }

  /** Behind the last one. */
  #entries(): number {
    return this.#needs.replica.state.index - this.#last.index;
  }

  #isDue(): boolean {
    const { local, clock, leads } = this.#needs;
    if (local?.store === undefined && !leads()) return false;
    const entries = this.#entries();
    const ageMs = clock.monotonicMs() - this.#atMs;
    const since = { entries, bytes: this.#bytes, bytesOfPeriod: this.#bytes - this.#bytesBefore, ageMs };
    this.#bytesBefore = this.#bytes;
    return isSnapshotDue(since, this.#limits());
  }

  #limits(): SnapshotLimits {
    return behind(this.#last.bytes, this.#needs.config.server);
  }
}

/** Makes them on the server's disk, in a process of their own, each out of the one before. */
class SnapshotMaker {
  readonly #needs: SnapshotNeeds;
  readonly #local: LocalDisk;
  #about: SnapshotAbout | undefined;
  #looked = false;

  constructor(needs: SnapshotNeeds, local: LocalDisk) {
    this.#needs = needs;
    this.#local = local;
  }

  async newest(): Promise<Snapshot> {
    await this.#look();
    const { files, snapshots } = this.#local;
    const index = this.#about?.index ?? 0;
    return { index, bytes: (await files.size(snapshots.pathOf(index))) ?? 0 };
  }

  async #look(): Promise<void> {
    if (this.#looked) return;
    const { store, snapshots, identity } = this.#local;
    const newest = store === undefined ? await snapshots.newest() : store.about;
    this.#about = newest !== undefined && isOf(newest, identity) ? newest : undefined;
    // Without a journal, the log may have been cut since by another server.
    const index = this.#about?.index ?? 0;
    if (store === undefined && index + 1 < (await this.#needs.replica.log.firstIndex())) await this.#bringFromLog();
    this.#looked = true;
  }

  async make(urgent: boolean, signal: AbortSignal): Promise<Snapshot> {
    const { state, applier } = this.#needs.replica;
    const { region } = this.#needs.config;
    // Its process reads the entries from the journal.
    while (applier.keptIndex < state.index) await applier.waitFor(state.index);
    const { folder, snapshots, store, identity, compact, source } = this.#local;
    const about = aboutOf(state, region, identity);
    await this.#look();
    const from = this.#about?.index;
    if (from !== about.index) {
      const goal = { index: about.index, digest: about.digest };
      // Should it fail, it is looked anew what is there.
      this.#looked = false;
      await compact({ folder, region, log: identity, from, urgent, ...goal, source, signal });
      this.#looked = true;
    }
    this.#about = about;
    await (store === undefined ? snapshots.keepOnly(about.index) : store.adopted(about));
    if (this.#needs.leads()) await this.#bringToLog(about.index, urgent, signal);
    return await this.newest();
  }

  async #bringFromLog(): Promise<void> {
    const found = await this.#needs.replica.log.loadSnapshot();
    if (found === undefined) return;
    const { identity, snapshots } = this.#local;
    // An operator may be given this very file.
    const about = aboutOf(decodeSnapshot(found.data), this.#needs.config.region, identity);
    await snapshots.save(about, [found.data]);
    this.#about = about;
  }

  async #bringToLog(index: number, urgent: boolean, signal: AbortSignal): Promise<void> {
    const { log } = this.#needs.replica;
    const { folder, snapshots, bring } = this.#local;
    await (bring?.({ folder, index, urgent, signal }) ?? log.saveSnapshot(index, () => snapshots.records(index)));
    if (index > TAIL_ENTRIES) await log.truncate(index - TAIL_ENTRIES);
  }
}

/** Saves a snapshot beside the log in one go, and cuts the log behind it: where a pause does not matter, as in the simulator. */
export async function takeSnapshot({ state, log }: Pick<Replica, "state" | "log">): Promise<number> {
  const { index } = state;
  await log.saveSnapshot(index, Buffer.concat([...encodeSnapshot(state)]));
  if (index > TAIL_ENTRIES) await log.truncate(index - TAIL_ENTRIES);
  return index;
}
