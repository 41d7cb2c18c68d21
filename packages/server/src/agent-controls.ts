// What can be done to a running agent from outside, beside its API proper.
import type { NodeAgent } from "@steppe/client";
import type { AgentControls, ClientControls, ServerControls } from "@steppe/http";
import { type Clock, SteppeError } from "@steppe/model";
import { type AgentConfig, DEFAULTS } from "./config/index.ts";
import { hostFacts } from "./host-facts.ts";
import type { LogTap } from "./log-tap.ts";
import { takeProfile } from "./profiler.ts";
import type { Server } from "./server.ts";
import { STEPPE_VERSION } from "./version.ts";

const WORKERS_MAX = 64;

export interface ControlParts {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly tap: LogTap;
  /** As far as they are there yet. */
  server(): Server | undefined;
  client(): NodeAgent | undefined;
  reload(): Promise<void>;
}

export function agentControls({ config, clock, tap, server, client, reload }: ControlParts): AgentControls {
  return {
    debug: config.enableDebug,
    commandLine: process.argv.join("\0"),
    version: STEPPE_VERSION,
    server: () => controlsOf(server(), clock),
    client: () => clientControls(client()),
    host: () => hostFacts(server()?.directory.self().ID ?? client()?.nodeId ?? "", config.dataDir),
    reload,
    monitor: (level, signal) => tap.read(level, signal),
    profile: (kind, seconds, signal) => takeProfile(kind, seconds, clock, signal),
  };
}

function controlsOf(server: Server | undefined, clock: Clock): ServerControls | undefined {
  if (server === undefined) return undefined;
  const { directory, exchange, workers } = server;
  return {
    id: directory.self().ID,
    join: (addresses) => exchange.join(addresses),
    forceLeave: (name, prune) => directory.forceLeave(name, prune, clock.monotonicMs()),
    schedulers: () => workers.settings,
    async setSchedulers({ count, types }) {
      if (!Number.isInteger(count) || count < 0 || count > WORKERS_MAX) {
        throw new SteppeError("invalid", `num_schedulers must be between 0 and ${WORKERS_MAX}, not ${count}`);
      }
      const unknown = types.find((type) => !(DEFAULTS.server.enabledSchedulers as readonly string[]).includes(type));
      if (unknown !== undefined) throw new SteppeError("invalid", `invalid scheduler type: ${unknown}`);
      await workers.configure({ count, types });
    },
  };
}

function clientControls(client: NodeAgent | undefined): ClientControls | undefined {
  if (client === undefined) return undefined;
  return {
    nodeId: client.nodeId,
    servers: () => client.servers(),
    setServers: (addresses) => client.setServers(addresses),
  };
}
