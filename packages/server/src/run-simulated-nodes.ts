import { simulateNodes } from "@steppe/client";
import { createChannels } from "@steppe/regions";
import { createClock, createRandom } from "@steppe/runtime";
import { connectOverGrpc } from "./client.ts";
import type { LogLevel } from "./config/index.ts";
import { createLogger } from "./logger.ts";
import { untilSignalled } from "./signals.ts";

export interface SimulatedNodesOptions {
  readonly servers: readonly string[];
  readonly count: number;
  readonly cpu: number;
  readonly memoryMb: number;
  readonly diskMb: number;
  readonly datacenters: readonly string[];
  readonly classes: readonly string[];
  readonly nodePool: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly seed?: Uint8Array;
  readonly logLevel: string;
  readonly logJson: boolean;
}

const REPORT_MS = 5000;

/** Runs simulated nodes until SIGINT or SIGTERM. Resolves with the exit code. */
export async function runSimulatedNodes(options: SimulatedNodesOptions): Promise<number> {
  const logger = createLogger(options.logLevel as LogLevel, options.logJson);
  const clock = createClock();
  const channels = createChannels({ clock, logger });
  const nodes = simulateNodes({
    ...options,
    connect: connectOverGrpc("", channels),
    clock,
    random: createRandom(),
    logger,
  });
  const stop = new AbortController();
  const done = untilSignalled(logger).then(() => stop.abort());
  const begun = clock.monotonicMs();
  await nodes.start();
  logger.info({ nodes: options.count, ms: Math.round(clock.monotonicMs() - begun) }, "simulated nodes registered");
  let last = "";
  while (!stop.signal.aborted) {
    await clock.after(REPORT_MS, stop.signal).catch(() => undefined);
    const stats = nodes.stats();
    if (JSON.stringify(stats) !== last) logger.info({ ...stats }, "simulated nodes");
    last = JSON.stringify(stats);
  }
  await done;
  await nodes.stop();
  channels.close();
  return 0;
}
