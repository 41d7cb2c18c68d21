import {
  answerOthers,
  Fence,
  heedReports,
  journaledLog,
  type LogIdentity,
  NO_OTHERS,
  type RegionBus,
  type RegionLog,
  type RegionLogs,
  settle,
} from "@steppe/log";
import { type Files, type Random, SteppeError } from "@steppe/model";
import type { State } from "@steppe/state";
import type { Compact } from "./durability/compactor.ts";
import { openLocalStore } from "./durability/local-store.ts";
import { serverFolder, takeRebuildRequest, writeLogStatus } from "./durability/operator-files.ts";
import { type Bring, RESTORE_GAP, type RegionEnds, type RegionNeeds, recordsOf } from "./open-region.ts";

/** How a server with a disk of its own reaches its region's logs. */
export interface LogAccess {
  readonly logs: RegionLogs;
  readonly bus: RegionBus;
  openLog(identity: LogIdentity): Promise<RegionLog>;
  readonly kind: string;
  readonly compact: Compact;
  /** To one of the logs, from the snapshots of this server. */
  bring?(log: LogIdentity): Bring;
  /** Of what all of these use. */
  close(): Promise<void>;
}

/** Compares what this server holds on its disk with the region's logs, and follows one once that is settled. */
export async function settleAndFollow(
  needs: RegionNeeds,
  files: Files,
  connect: () => Promise<LogAccess>,
): Promise<RegionEnds> {
  const { config, clock, logger, signal = new AbortController().signal, others = NO_OTHERS } = needs;
  const { region } = config;
  const store = await openLocalStore({ files, folder: serverFolder(config.dataDir), region, logger });
  const name = `${config.name}.${region}`;
  const { logs, bus, openLog, kind, compact, bring, close } = await connect();
  const held = async () => {
    // What came over a connection that has ended meanwhile is taken in, or never, before the position is told.
    await clock.after(1);
    await store.journal.idle();
    return { name, position: store.position() };
  };
  const closing = new AbortController();
  answerOthers({ bus, logger }, held, closing.signal);
  const say = (status: string) => {
    writeLogStatus(files, config.dataDir, { status, time: clock.wallNs() }).catch((err: unknown) => {
      logger.warn({ err }, "cannot write the log's status for operators");
    });
  };
  const quorum = config.server.bootstrapExpect;
  try {
    const settled = await settle(
      {
        ...{ name, logs, bus, clock, random: needs.random, logger },
        quorum,
        position: () => store.position(),
        saveState: async (identity) => {
          const state = await store.loadAll();
          state.goOnAt(identity.base);
          await logs.snapshots(identity).save(state.index, () => recordsOf(state));
        },
        snapshotIndex: (log) => logs.snapshots(log).newest(),
        rebuildAsked: () => takeRebuildRequest(files, config.dataDir),
        waiting: say,
        evidence: needs.lost?.evidence,
      },
      signal,
    );
    const { identity } = settled;
    const log = await openLog(identity);
    await store.follow(log, settled);
    say("following");
    const { journal } = store;
    const fence = new Fence({ name, quorum, bus, clock, logger, others, log, own: held });
    return {
      log: journaledLog({ log, journal, fence, clock, logger }),
      bus,
      kind,
      local: {
        ...{ files, identity, compact, store },
        folder: `${serverFolder(config.dataDir)}/snapshots`,
        snapshots: store.snapshots,
        source: { kind: "journal", folder: journal.folder },
        bring: bring?.(identity),
      },
      replace: (state) => replaceLog(logs, state, needs.random),
      heed: (onLost) => heedReports({ name, bus, log, journal, logger }, onLost, closing.signal),
      held,
      closeTransport: async () => {
        closing.abort();
        logs.close();
        await close();
      },
    };
  } catch (error) {
    closing.abort();
    logs.close();
    await bus.close();
    await close();
    throw error;
  }
}

/** The snapshot first: until the last moment the region goes on, and a failure changes nothing. */
async function replaceLog(logs: RegionLogs, state: State, random: Random): Promise<number> {
  const found = await logs.list();
  state.goOnAt(Math.max(state.index, ...found.map(({ last }) => last)) + RESTORE_GAP);
  const epoch = 1 + Math.max(...found.map((log) => log.identity.epoch));
  const identity = { epoch, id: random.id().slice(0, 8), base: state.index };
  await logs.snapshots(identity).save(state.index, () => recordsOf(state));
  for (const log of found) if (!log.sealed) await logs.seal(log.identity);
  const last = Math.max(...(await logs.list()).map((log) => log.last));
  if (last > state.index)
    throw new SteppeError("refused", "too much was written while the snapshot was restored; try again");
  if (!(await logs.create(identity)))
    throw new SteppeError("refused", "the log was rebuilt while the snapshot was restored; try again");
  return state.index;
}
