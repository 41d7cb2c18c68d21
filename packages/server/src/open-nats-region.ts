import type { LogIdentity } from "@steppe/log";
import { connectNats, createNatsBus, openJetStreamLog, openRegionLogs } from "@steppe/log/nats";
import { createFiles } from "@steppe/runtime";
import type { AgentConfig } from "./config/index.ts";
import { compact } from "./durability/compactor.ts";
import { sourceOf } from "./durability/entry-source.ts";
import { upload } from "./durability/upload.ts";
import { natsOptions } from "./nats-options.ts";
import { type Bring, openDisk, type RegionEnds, type RegionNeeds } from "./open-region.ts";
import { settleAndFollow } from "./settle-and-follow.ts";

/** Workers, and servers that keep no journal. */
export async function openTrusted({ config, clock, logger }: RegionNeeds): Promise<RegionEnds> {
  const { region } = config;
  const nats = natsOf(config);
  const connection = await connectNats({ ...natsOptions(nats), name: `${config.name}.${region}`, logger });
  // A worker waits for the servers to make the region's log, for as long as they take.
  const create = config.server.enabled;
  const wait = create ? {} : { openTimeoutMs: Number.POSITIVE_INFINITY };
  const log = await openJetStreamLog({ connection, region, replicas: nats.replicas, clock, logger, create, ...wait });
  const disk = config.server.enabled ? await openDisk(log.identity, sourceOf(log), config, logger) : undefined;
  return {
    log,
    bus: createNatsBus(connection, region, { clock, logger }),
    kind: "jetstream",
    ...(disk !== undefined && { local: { ...disk, bring: bringTo(log.identity, config) } }),
    closeTransport: () => connection.close(),
  };
}

function bringTo(log: LogIdentity, config: AgentConfig): Bring {
  const nats = natsOf(config);
  const { name, region } = config;
  const to = { region, log, replicas: nats.replicas };
  return ({ signal, ...snapshot }) =>
    upload({ ...to, ...snapshot, nats: { ...natsOptions(nats), name: `${name}.${region}.snapshot` } }, signal);
}

export async function openJournaled(needs: RegionNeeds): Promise<RegionEnds> {
  const { config, clock, logger } = needs;
  const { region } = config;
  const nats = natsOf(config);
  return await settleAndFollow(needs, createFiles(), async () => {
    const connection = await connectNats({ ...natsOptions(nats), name: `${config.name}.${region}`, logger });
    return {
      logs: await openRegionLogs({ connection, region, replicas: nats.replicas, clock }),
      bus: createNatsBus(connection, region, { clock, logger }),
      openLog: (identity) => openJetStreamLog({ connection, region, replicas: nats.replicas, clock, logger, identity }),
      kind: "jetstream",
      compact,
      bring: (identity) => bringTo(identity, config),
      close: () => connection.close(),
    };
  });
}

function natsOf({ nats }: AgentConfig): NonNullable<AgentConfig["nats"]> {
  if (nats === undefined) throw new Error("no NATS is configured");
  return nats;
}
