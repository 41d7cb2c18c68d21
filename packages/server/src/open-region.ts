import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createLocalBus, openEmbeddedLog, type RegionBus, type ReplicatedLog } from "@steppe/log";
import type { Clock, Logger } from "@steppe/model";
import type { AgentConfig } from "./config/index.ts";
import { natsOptions } from "./nats-options.ts";

/** A process's ends of its region's log and bus. */
export interface RegionEnds {
  readonly log: ReplicatedLog;
  readonly bus: RegionBus;
  /** "jetstream" or "embedded". */
  readonly kind: string;
  /** Of what both use, to be called when both are closed. */
  closeTransport(): Promise<void>;
}

export type OpenRegion = (needs: {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly logger: Logger;
}) => Promise<RegionEnds>;

/** Over NATS, or in this process where the configuration names no NATS. */
export const openRegion: OpenRegion = async ({ config, clock, logger }) => {
  const { nats, region } = config;
  if (nats === undefined) {
    const folder = join(config.dataDir, "server");
    await mkdir(folder, { recursive: true });
    const log = await openEmbeddedLog({ path: join(folder, "log.db"), logger });
    return { log, bus: createLocalBus(clock, logger), kind: "embedded", closeTransport: async () => undefined };
  }
  const { connectNats, createNatsBus, openJetStreamLog } = await import("@steppe/log/nats");
  const connection = await connectNats({ ...natsOptions(nats), name: `${config.name}.${region}`, logger });
  const log = await openJetStreamLog({ connection, region, replicas: nats.replicas, clock, logger });
  return {
    log,
    bus: createNatsBus(connection, region, logger),
    kind: "jetstream",
    closeTransport: () => connection.close(),
  };
};
