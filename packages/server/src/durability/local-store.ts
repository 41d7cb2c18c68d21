import {
  isOf,
  type Journal,
  type LogIdentity,
  openJournal,
  type Position,
  type RegionLog,
  type Settled,
  type SnapshotAbout,
  SnapshotFolder,
} from "@steppe/log";
import type { Files, Logger } from "@steppe/model";
import { Entry } from "@steppe/proto";
import { apply, decodeSnapshot, encodeSnapshot, State } from "@steppe/state";
import { decodeSnapshotPieces } from "./decode-pieces.ts";
import { aboutOf } from "./snapshot-about.ts";

export interface LocalStoreOptions {
  readonly files: Files;
  /** Absolute. */
  readonly folder: string;
  readonly region: string;
  readonly logger: Logger;
}

/**
 * What a server holds by itself: a snapshot and the journal behind it. Together they are the state as
 * of the last entry that it applied.
 */
export class LocalStore {
  readonly journal: Journal;
  readonly snapshots: SnapshotFolder;
  readonly #options: LocalStoreOptions;
  /** Of the snapshot; undefined: none, the journal begins with the log. */
  #about: SnapshotAbout | undefined;

  constructor(
    options: LocalStoreOptions,
    journal: Journal,
    snapshots: SnapshotFolder,
    about: SnapshotAbout | undefined,
  ) {
    this.#options = options;
    this.journal = journal;
    this.snapshots = snapshots;
    this.#about = about;
  }

  get about(): SnapshotAbout | undefined {
    return this.#about;
  }

  position(): Position {
    const { journal } = this;
    const about = this.#about;
    const behind = about === undefined || (journal.identity !== undefined && journal.last >= about.index);
    if (behind) return { identity: journal.identity, last: journal.last, mark: journal.lastMark };
    return { identity: about.log, last: about.index, mark: undefined };
  }

  /** The state as of the snapshot; what the journal has behind it is still to be applied. */
  async loadSnapshot(): Promise<State> {
    if (this.#about === undefined) return new State();
    return await decodeSnapshotPieces(this.snapshots.records(this.#about.index));
  }

  /** The state as of the last entry of the journal. */
  async loadAll(): Promise<State> {
    const state = await this.loadSnapshot();
    while (state.index < this.journal.last) {
      for (const { index, payload } of await this.journal.read(state.index + 1))
        apply(state, index, Entry.decode(payload));
    }
    return state;
  }

  /**
   * Makes ready to follow a log: what is held is kept where the log goes on from it, else the log's
   * own snapshot takes its place. Afterwards the journal takes the record after `position().last`.
   */
  async follow(log: RegionLog, { verdict, rebuilt }: Settled): Promise<void> {
    const { logger } = this.#options;
    const first = await log.firstIndex();
    const { identity, last } = this.position();
    if (verdict.kind === "follow" && identity !== undefined && last + 1 >= first) {
      if (this.journal.identity === undefined || this.journal.last < last)
        await this.journal.restart(log.identity, last);
      return;
    }
    const orphans = verdict.kind === "adopt" ? verdict.orphans : 0;
    if (orphans > 0) {
      const text = "the region's log was rebuilt without entries that this server has; its journal is set aside";
      logger.error({ entries: orphans, last, ...log.identity }, text);
    }
    const snapshot = await log.loadSnapshot();
    const begins = snapshot?.index ?? 0;
    if (begins + 1 < first) throw new Error(`the log begins at ${first}, and its newest snapshot ends at ${begins}`);
    if (snapshot !== undefined) await this.saveSnapshot(decodeSnapshot(snapshot.data), log.identity);
    // Another server rebuilt from its own journal. That this one held no more does not say that it held the same.
    const mayHoldOthers = verdict.kind === "adopt" && !rebuilt;
    await this.journal.restart(log.identity, begins, mayHoldOthers);
    if (snapshot === undefined) await this.#forgetSnapshots();
    logger.info({ index: begins, ...log.identity }, "begins with the log's own snapshot");
  }

  /** Saves a state whole, in one go: before it is served. */
  async saveSnapshot(state: State, identity: LogIdentity): Promise<void> {
    const about = aboutOf(state, this.#options.region, identity);
    await this.snapshots.save(about, encodeSnapshot(state));
    await this.adopted(about);
  }

  /**
   * A snapshot was put into the folder. The one before it stays, with the journal from there on: what happened
   * between the two can then still be told. All that is older has done its duty.
   */
  async adopted(about: SnapshotAbout): Promise<void> {
    this.#about = about;
    const { journal, snapshots } = this;
    const isOurs = journal.identity !== undefined && isOf(about, journal.identity);
    const before = isOurs ? await this.#before(about.index) : about.index;
    await snapshots.keepOnly(about.index, before);
    if (isOurs) await journal.dropThrough(before);
  }

  /** Index of the snapshot before that one which the journal goes on from; 0 when that goes on from the log's beginning. */
  async #before(index: number): Promise<number> {
    const older = (await this.snapshots.indexes()).filter((it) => it < index).at(-1) ?? 0;
    return older + 1 >= this.journal.first ? older : index;
  }

  /**
   * The newest state from which the journal leads to the entry of that index; undefined when no snapshot is old enough.
   * What the journal has behind it is still to be applied.
   */
  async loadBefore(index: number): Promise<State | undefined> {
    const { journal, snapshots } = this;
    for (const at of (await snapshots.indexes()).reverse()) {
      if (at >= index || at + 1 < journal.first || journal.identity === undefined) continue;
      const release = snapshots.pin(at);
      try {
        if (!isOf(await snapshots.about(at), journal.identity)) continue;
        return await decodeSnapshotPieces(snapshots.records(at));
      } finally {
        release();
      }
    }
    return journal.first === 1 && journal.identity?.base === 0 ? new State() : undefined;
  }

  /** The oldest index that `loadBefore` has a state for. */
  async oldest(): Promise<number> {
    const { journal, snapshots } = this;
    if (journal.first === 1 && journal.identity?.base === 0) return 1;
    const kept = (await snapshots.indexes()).find((at) => at + 1 >= journal.first);
    return (kept ?? journal.last) + 1;
  }

  async #forgetSnapshots(): Promise<void> {
    this.#about = undefined;
    await this.snapshots.keepOnly(-1);
  }
}

/** Opens what is there. A journal that does not go on from the snapshot is of no use without it, nor is it used. */
export async function openLocalStore(options: LocalStoreOptions): Promise<LocalStore> {
  const { files, folder, logger } = options;
  await files.makeFolder(`${folder}/snapshots`);
  const snapshots = new SnapshotFolder(files, `${folder}/snapshots`, logger);
  const about = await snapshots.newest();
  const journal = await openJournal({ files, folder: `${folder}/journal`, logger });
  const { identity, first, last } = journal;
  const joins =
    identity === undefined ||
    (about === undefined
      ? first === 1 && identity.base === 0
      : isOf(about, identity) && first <= about.index + 1 && last >= about.index);
  if (!joins) {
    logger.error(
      { first, last, snapshot: about?.index },
      "the journal does not go on from this server's snapshot; it is set aside",
    );
    await journal.discard();
  }
  return new LocalStore(options, journal, snapshots, about);
}
