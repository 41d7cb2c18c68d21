import {
  createLocalBus,
  type EmbeddedLog,
  type LogGapError,
  type LogIdentity,
  type OtherServers,
  openEmbeddedLog,
  type RegionBus,
  type ReplicatedLog,
  type Report,
  SnapshotFolder,
} from "@steppe/log";
import type { Clock, Files, Logger, Random } from "@steppe/model";
import { createFiles } from "@steppe/runtime";
import { encodeSnapshot, type State } from "@steppe/state";
import type { AgentConfig } from "./config/index.ts";
import { type Compact, compact } from "./durability/compactor.ts";
import type { EntrySource } from "./durability/entry-source.ts";
import type { LocalStore } from "./durability/local-store.ts";
import { serverFolder } from "./durability/operator-files.ts";

/** A process's ends of its region's log and bus. */
export interface RegionEnds {
  readonly log: ReplicatedLog;
  readonly bus: RegionBus;
  /** "jetstream" or "embedded". */
  readonly kind: string;
  /** Where a server keeps its own; undefined in a process that keeps nothing. */
  readonly local?: LocalDisk;
  /**
   * Replaces the region's log by one that begins with this state, under an index past all before;
   * resolves with that index. Whoever follows the old one learns that it is gone.
   */
  replace?(state: State): Promise<number>;
  /** Calls `onLost` when another server shows that the log lacks what was applied. */
  heed?(onLost: (error: LogGapError) => void): void;
  /** What this server holds of the region's log, once all that it took from it is on its disk. Absent: nothing. */
  held?(): Promise<Report>;
  /** Of what both use, to be called when both are closed. */
  closeTransport(): Promise<void>;
}

export interface RegionNeeds {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Ends the wait for a log that can be followed. */
  readonly signal?: AbortSignal;
  /** Of the region; those that answer are heard before the log is relied on. */
  readonly others?: OtherServers;
  /** Why the log that was followed before was left. */
  readonly lost?: LogGapError | undefined;
  /** The log in this process, where it was begun before. */
  readonly begun?: Promise<EmbeddedLog> | undefined;
}

/** A server's own disk. */
export interface LocalDisk {
  readonly files: Files;
  /** Which of the region's logs is followed. */
  readonly identity: LogIdentity;
  /** Of the snapshots. */
  readonly folder: string;
  readonly snapshots: SnapshotFolder;
  /** Snapshot and journal; undefined where the log is trusted alone. */
  readonly store: LocalStore | undefined;
  readonly compact: Compact;
  /** What snapshots are made of. */
  readonly source: EntrySource;
  /** How a snapshot gets to the log without this thread; undefined: by `saveSnapshot`. */
  readonly bring?: Bring | undefined;
}

/** Brings a snapshot to the log, as `saveSnapshot` does, without the calling thread reading it. */
export type Bring = (snapshot: {
  readonly folder: string;
  readonly index: number;
  /** Beside those that serve, not behind them. */
  readonly urgent: boolean;
  /** Gives up. */
  readonly signal: AbortSignal;
}) => Promise<void>;

export type OpenRegion = (needs: RegionNeeds) => Promise<RegionEnds>;

/** Over NATS, or in this process where the configuration names no NATS. Waits for as long as the region's log must not be followed. */
export const openRegion: OpenRegion = async (needs) => {
  const { config } = needs;
  if (config.nats === undefined) return await openEmbedded(needs);
  // A process without NATS need not load what speaks to it.
  const { openJournaled, openTrusted } = await import("./open-nats-region.ts");
  return config.server.enabled && config.server.durability === "journal"
    ? await openJournaled(needs)
    : await openTrusted(needs);
};

/** Of a server that keeps snapshots only. */
export async function openDisk(
  identity: LogIdentity,
  source: EntrySource,
  { dataDir }: AgentConfig,
  logger: Logger,
): Promise<LocalDisk> {
  const files = createFiles();
  const folder = `${serverFolder(dataDir)}/snapshots`;
  await files.makeFolder(folder);
  const snapshots = new SnapshotFolder(files, folder, logger);
  return { files, identity, folder, snapshots, store: undefined, compact, source };
}

/** What may be written between the look at the log's end and the moment when it takes no more. */
export const RESTORE_GAP = 100_000;

export async function* recordsOf(state: State): AsyncGenerator<Uint8Array> {
  yield* encodeSnapshot(state);
}

/**
 * Opens regions. A log in this process is begun at once, for its thread starts while all else of an agent is made;
 * who opens the region a second time opens it anew.
 */
export class RegionOpener {
  #begun: Promise<EmbeddedLog> | undefined;

  constructor(config: AgentConfig, logger: Logger) {
    if (!config.server.enabled || config.nats !== undefined) return;
    this.#begun = beginLog(config, logger);
    // Told to whoever opens the region.
    this.#begun.catch(() => undefined);
  }

  readonly open: OpenRegion = (needs) => {
    const begun = this.#begun;
    this.#begun = undefined;
    return openRegion({ ...needs, begun });
  };

  /** Closes what was begun and not opened. */
  async close(): Promise<void> {
    const log = await this.#begun?.catch(() => undefined);
    this.#begun = undefined;
    await log?.close();
  }
}

async function beginLog({ dataDir }: AgentConfig, logger: Logger): Promise<EmbeddedLog> {
  const folder = serverFolder(dataDir);
  await createFiles().makeFolder(folder);
  return await openEmbeddedLog({ path: `${folder}/log.db`, logger });
}

const FIRST_LOG: LogIdentity = { epoch: 0, id: "", base: 0 };

async function openEmbedded({ config, clock, logger, begun }: RegionNeeds): Promise<RegionEnds> {
  const log = await (begun ?? beginLog(config, logger));
  const source: EntrySource = { kind: "pieces", pieces: (from, to) => log.pieces(from, to) };
  const disk = await openDisk(FIRST_LOG, source, config, logger);
  return {
    log,
    bus: createLocalBus(clock, logger),
    kind: "embedded",
    local: { ...disk, bring: ({ index, signal }) => log.saveSnapshotFile(index, disk.snapshots.pathOf(index), signal) },
    replace: async (state) => {
      state.goOnAt(Math.max(await log.lastIndex(), state.index) + RESTORE_GAP);
      await log.restart(state.index, () => recordsOf(state));
      return state.index;
    },
    closeTransport: async () => undefined,
  };
}
