import { createLocalBus } from "@steppe/log";
import type { Logger } from "@steppe/model";
import { SteppeError } from "@steppe/model";
import type { RegionServices } from "@steppe/regions";
import { createClock, createRandom } from "@steppe/runtime";
import { apply } from "@steppe/state";
import { type AgentConfig, devConfig } from "../config/index.ts";
import { openReplica } from "../open-replica.ts";
import type { Replica } from "../replica.ts";
import { noPathToNode } from "../services/node-calls.ts";
import { localServices } from "../services/region.ts";
import { createWriter, type Writer } from "../services/write.ts";
import { MemoryLog } from "./memory-log.ts";

export interface LocalRegion {
  readonly config: AgentConfig;
  readonly log: MemoryLog;
  readonly replica: Replica;
  readonly writer: Writer;
  readonly services: RegionServices;
  close(): Promise<void>;
}

/** The services of a region on a log in memory, without anybody who leads, schedules or runs: nothing moves by itself. */
export async function openLocalRegion(logger: Logger): Promise<LocalRegion> {
  const { config } = devConfig();
  const clock = createClock();
  const random = createRandom();
  const log = new MemoryLog();
  const openRegion = async () => ({
    log,
    bus: createLocalBus(clock, logger),
    kind: "memory",
    closeTransport: async () => undefined,
  });
  const onFatal = (err: Error) => logger.error({ err }, "the replica has stopped");
  const { replica } = await openReplica({ config, openRegion, apply, clock, random, logger, onFatal });
  const writer = createWriter(replica, clock);
  const services: RegionServices = localServices({
    config,
    replica,
    writer,
    clock,
    random,
    logger,
    clientCalls: NO_NODES,
    serverCalls: NO_SERVERS,
    route: () => services,
    peers: () => ["127.0.0.1:4647"],
  });
  return { config, log, replica, writer, services, close: () => replica.close() };
}

/** There is no server, only what one has. */
const NO_SERVERS: RegionServices["serverCalls"] = {
  // biome-ignore lint/correctness/useYield: it fails before the first piece
  async *open() {
    throw new SteppeError("not-found", "no server here");
  },
  restore: async () => Promise.reject(new SteppeError("not-found", "no server here")),
  members: async () => ({ Members: [] }),
};

/** No node is ever connected. */
const NO_NODES: RegionServices["clientCalls"] = {
  // biome-ignore lint/correctness/useYield: it fails before the first piece
  async *open() {
    throw noPathToNode();
  },
  input: async () => ({}),
};
