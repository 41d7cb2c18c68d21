import { SteppeError } from "@steppe/model";
import { createClock, createRandom } from "@steppe/runtime";
import { apply } from "@steppe/state";
import type { LoadedConfig } from "./config/index.ts";
import { createLogger } from "./logger.ts";
import { openRegion } from "./open-region.ts";
import { openReplica } from "./open-replica.ts";
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
  const logger = createLogger(config.logLevel, config.logJson);
  for (const warning of warnings) logger.warn(warning);
  const [clock, random] = [createClock(), createRandom()];
  const fatal = Promise.withResolvers<Error>();
  const signalled = untilSignalled(logger);
  const { replica, bus } = await openReplica({
    config,
    openRegion,
    apply,
    clock,
    random,
    logger,
    onFatal: fatal.resolve,
  });
  const workers = startWorkers(
    { count: 1, types: config.server.enabledSchedulers },
    {
      name: `${config.name}.${config.region}`,
      replica,
      bus,
      clock,
      random,
      logger,
    },
  );
  // The NATS client reads its certificates for each new connection.
  onHangup(logger, async () => undefined);
  logger.info({ name: config.name, region: config.region }, "worker started");
  const end = await Promise.race([signalled, fatal.promise]);
  if (typeof end !== "string") logger.error({ err: end }, "this worker cannot go on");
  await workers.stop();
  await replica.close();
  logger.info("worker stopped");
  return typeof end === "string" ? 0 : 1;
}
