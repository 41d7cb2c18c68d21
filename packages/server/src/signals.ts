import type { Logger } from "@steppe/model";

/** SIGHUP: what was configured by files is read again. Without this, the signal would end the process. */
export function onHangup(logger: Logger, reload: () => Promise<void>): void {
  process.on("SIGHUP", (signal) => {
    logger.info({ signal }, "reloading");
    reload().catch((err: unknown) => logger.error({ err }, "reloading failed"));
  });
}

/** Resolves at the first SIGINT or SIGTERM. A second one ends the process at once. */
export function untilSignalled(logger: Logger): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let seen = false;
    const take = (signal: NodeJS.Signals) => {
      if (seen) {
        logger.warn({ signal }, "second signal: ending at once");
        process.exit(130);
      }
      seen = true;
      logger.info({ signal }, "leaving");
      resolve(signal);
    };
    process.on("SIGINT", take);
    process.on("SIGTERM", take);
  });
}
