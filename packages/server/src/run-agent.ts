import { type Agent, startAgent } from "./agent.ts";
import type { LoadedConfig } from "./config/index.ts";
import { holdHeap, letHeapGrow } from "./heap-growth.ts";
import { createLogger } from "./logger.ts";
import { onHangup, untilSignalled } from "./signals.ts";
import { API_VERSION, STEPPE_VERSION } from "./version.ts";

/** Runs an agent until SIGINT, SIGTERM or until it cannot go on. Resolves with the exit code. `read`: reads the configuration again. */
export async function runAgent(
  { config, warnings, files }: LoadedConfig,
  read: () => Promise<LoadedConfig>,
): Promise<number> {
  holdHeap();
  const logger = createLogger(config.logLevel, config.logJson);
  for (const warning of warnings) logger.warn(warning);
  logger.info(
    { version: STEPPE_VERSION, api: API_VERSION, files, region: config.region, name: config.name },
    "starting agent",
  );
  const fatal = Promise.withResolvers<Error>();
  const signalled = untilSignalled(logger);
  const reread = async () => (await read()).config;
  const agent = await Promise.race([startAgent(config, logger, fatal.resolve, reread), signalled]);
  if (typeof agent === "string") {
    // It waits for its region's log and serves nothing, so there is nothing to give back.
    logger.info("agent stopped");
    return 0;
  }
  onHangup(logger, () => agent.reload());
  const role = [agent.server && "server", agent.client && "client"].filter((it) => it !== undefined);
  const log = agent.server?.opened.settings.kind;
  logger.info({ http: agent.http, rpc: agent.rpc, role, log, node: agent.client?.nodeId }, "agent started");
  void caughtUp(agent).finally(letHeapGrow);
  const end = await Promise.race([signalled, fatal.promise]);
  if (typeof end !== "string") logger.error({ err: end }, "this agent cannot go on");
  await agent.close();
  logger.info("agent stopped");
  return typeof end === "string" ? 0 : 1;
}

const LOADING_MAX_MS = 60_000;

/** A server answers before it has applied all that its log holds. Never rejects. */
async function caughtUp({ server }: Agent): Promise<void> {
  if (server === undefined) return;
  const { applier, freshness } = server.opened.replica;
  const signal = AbortSignal.timeout(LOADING_MAX_MS);
  try {
    await applier.waitFor(await freshness.lastIndex(signal), signal);
  } catch {
    // It stops, or its log does not answer: there is nothing left to wait for.
  }
}
