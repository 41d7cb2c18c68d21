import { heedReports, journaledLog, LogGapError, type RegionLogs, settle } from "@steppe/log";
import { connectNats, createNatsBus, openJetStreamLog, openRegionLogs } from "@steppe/log/nats";
import { type Random, SteppeError } from "@steppe/model";
import { createFiles } from "@steppe/runtime";
import type { State } from "@steppe/state";
import type { AgentConfig } from "./config/index.ts";
import { openLocalStore } from "./durability/local-store.ts";
import { serverFolder, takeRebuildRequest, writeLogStatus } from "./durability/operator-files.ts";
import { natsOptions } from "./nats-options.ts";
import { openDisk, RESTORE_GAP, type RegionEnds, type RegionNeeds, recordsOf } from "./open-region.ts";

/** Workers, and servers that keep no journal. */
export async function openTrusted({ config, clock, logger }: RegionNeeds): Promise<RegionEnds> {
  const { region } = config;
  const nats = natsOf(config);
  const connection = await connectNats({ ...natsOptions(nats), name: `${config.name}.${region}`, logger });
  // A worker waits for the servers to make the region's log, for as long as they take.
  const create = config.server.enabled;
  const wait = create ? {} : { openTimeoutMs: Number.POSITIVE_INFINITY };
  const log = await openJetStreamLog({ connection, region, replicas: nats.replicas, clock, logger, create, ...wait });
  return {
    log,
    bus: createNatsBus(connection, region, logger),
    kind: "jetstream",
    ...(config.server.enabled && { local: await openDisk(log.identity, config, logger) }),
    closeTransport: () => connection.close(),
  };
}

export async function openJournaled(needs: RegionNeeds): Promise<RegionEnds> {
  const { config, clock, logger, signal = new AbortController().signal } = needs;
  const { region } = config;
  const nats = natsOf(config);
  const files = createFiles();
  const store = await openLocalStore({ files, folder: serverFolder(config.dataDir), region, logger });
  const name = `${config.name}.${region}`;
  const connection = await connectNats({ ...natsOptions(nats), name, logger });
  const bus = createNatsBus(connection, region, logger);
  const logs = await openRegionLogs({ connection, region, replicas: nats.replicas, clock });
  const say = (status: string) => {
    writeLogStatus(files, config.dataDir, { status, time: clock.wallNs() }).catch((err: unknown) => {
      logger.warn({ err }, "cannot write the log's status for operators");
    });
  };
  try {
    const settled = await settle(
      {
        ...{ name, logs, bus, clock, random: needs.random, logger },
        quorum: config.server.bootstrapExpect,
        position: () => store.position(),
        saveState: async (identity) => {
          const state = await store.loadAll();
          state.goOnAt(identity.base);
          await logs.snapshots(identity).save(state.index, () => recordsOf(state));
        },
        snapshotIndex: (log) => logs.snapshots(log).newest(),
        rebuildAsked: () => takeRebuildRequest(files, config.dataDir),
        waiting: say,
      },
      signal,
    );
    const { identity } = settled;
    const log = await openJetStreamLog({ connection, region, replicas: nats.replicas, clock, logger, identity });
    await store.follow(log, settled);
    say("following");
    const { journal } = store;
    const watching = new AbortController();
    return {
      log: journaledLog({ log, journal, clock, logger }),
      bus,
      kind: "jetstream",
      local: { identity, folder: `${serverFolder(config.dataDir)}/snapshots`, snapshots: store.snapshots, store },
      replace: (state) => replaceLog(logs, state, needs.random),
      heed: (onLost) =>
        heedReports({ name, bus, log, journal, logger }, (why) => onLost(new LogGapError(why)), watching.signal),
      closeTransport: async () => {
        watching.abort();
        logs.close();
        await connection.close();
      },
    };
  } catch (error) {
    logs.close();
    await bus.close();
    await connection.close();
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

function natsOf({ nats }: AgentConfig): NonNullable<AgentConfig["nats"]> {
  if (nats === undefined) throw new Error("no NATS is configured");
  return nats;
}
