import { LogGapError } from "@steppe/log";
import { SteppeError } from "@steppe/model";
import { createClock, createRandom } from "@steppe/runtime";
import { apply, DigestMismatchError } from "@steppe/state";
import type { LoadedConfig } from "./config/index.ts";
import { letHeapGrow } from "./heap-growth.ts";
import { createLogger } from "./logger.ts";
import { openRegion } from "./open-region.ts";
import { openReplica, type ReplicaNeeds } from "./open-replica.ts";
import { onHangup, untilSignalled } from "./signals.ts";
import { startWorkers } from "./workers.ts";

/** Runs a scheduling worker until SIGINT, SIGTERM or until it cannot go on. Resolves with the exit code. */
export async function runWorker({ config, warnings }: LoadedConfig): Promise<number> {
  if (config.nats === undefined) {
    throw new SteppeError(
      "invalid",
      "a worker process reaches its region through NATS: set nats { servers = [...] } or -nats",
    );
  }
  letHeapGrow();
  const logger = createLogger(config.logLevel, config.logJson);
  for (const warning of warnings) logger.warn(warning);
  const [clock, random] = [createClock(), createRandom()];
  const signalled = untilSignalled(logger);
  // The NATS client reads its certificates for each new connection.
  onHangup(logger, async () => undefined);
  for (;;) {
    const end = await runOnce({ config, clock, random, logger }, signalled);
    // A worker keeps nothing, so that beginning anew is all it takes. Its state differs from a server's when NATS
    // came back with an older log and was written to before the servers noticed: until they have rebuilt it.
    if (end instanceof LogGapError || end instanceof DigestMismatchError) {
      logger.warn({ err: end }, "starting again on the log that the region follows");
      await clock.after(RESTART_MS);
      continue;
    }
    if (typeof end !== "string") logger.error({ err: end }, "this worker cannot go on");
    logger.info("worker stopped");
    return typeof end === "string" ? 0 : 1;
  }
}

/** Between the end of a log and the next attempt: the region needs a moment to rebuild it. */
const RESTART_MS = 1000;

/** Until it is signalled (the signal's name) or its replica cannot go on (why). */
async function runOnce(
  parts: Pick<ReplicaNeeds, "config" | "clock" | "random" | "logger">,
  signalled: Promise<string>,
): Promise<string | Error> {
  const { config, clock, random, logger } = parts;
  const fatal = Promise.withResolvers<Error>();
  const opened = await Promise.race([signalled, openReplica({ ...parts, openRegion, apply, onFatal: fatal.resolve })]);
  if (typeof opened === "string") return opened;
  const { replica, bus } = opened;
  const workers = startWorkers(
    { count: 1, types: config.server.enabledSchedulers },
    { name: `${config.name}.${config.region}`, replica, bus, clock, random, logger },
  );
  logger.info({ name: config.name, region: config.region }, "worker started");
  const end = await Promise.race([signalled, fatal.promise]);
  await workers.stop();
  await replica.close();
  return end;
}
