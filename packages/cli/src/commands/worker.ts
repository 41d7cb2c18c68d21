import { loadConfig, runWorker } from "@steppe/server";
import { readFlags, UsageError } from "../command-line.ts";

export const usage = `Usage: steppe worker -config PATH [options]

  Runs a scheduling worker until SIGINT or SIGTERM: it takes evaluations from the leader of its
  region, places allocations on its own copy of the state, and submits plans. Run as many as there
  are cores to spare; they settle races in the log.

  -config PATH       Configuration as of the agent: name, region and nats are used. Repeatable.
  -name NAME         Name of this worker; unique in its region.
  -region NAME       Region.
  -nats URL          NATS server of the region; repeatable.
  -log-level LEVEL   trace, debug, info, warn, error or off.
  -log-json          Log JSON also to a terminal.`;

const FLAGS = {
  config: "list",
  name: "text",
  region: "text",
  nats: "list",
  "log-level": "text",
  "log-json": "switch",
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const flags = readFlags(args, FLAGS);
  if (flags.config.length === 0 && flags.nats.length === 0) throw new UsageError("-config or -nats is needed");
  const overrides = {
    worker: true,
    ...(flags.name !== undefined && { name: flags.name }),
    ...(flags.region !== undefined && { region: flags.region }),
    ...(flags.nats.length > 0 && { natsServers: flags.nats }),
    ...(flags["log-level"] !== undefined && { logLevel: flags["log-level"] }),
    ...(flags["log-json"] && { logJson: true }),
  };
  return await runWorker(await loadConfig(flags.config, overrides));
}
