// An agent process: a server, a node agent, or both, behind one HTTP API.

import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeAgent } from "@steppe/client";
import {
  type AgentControls,
  buildApp,
  type ChangeableOptions,
  type FastifyInstance,
  type HttpNeeds,
  listen,
} from "@steppe/http";
import { type Clock, type Logger, type Random, SteppeError } from "@steppe/model";
import type { Member } from "@steppe/proto";
import {
  type Channels,
  createChannels,
  createGrpcServer,
  createServerClient,
  type GrpcServer,
  type Implementations,
  type RegionServices,
  type TlsIdentity,
} from "@steppe/regions";
import { createClock, createRandom } from "@steppe/runtime";
import { apply } from "@steppe/state";
import { type AgentAnswerer, createAgentAnswerer } from "./agent-calls.ts";
import { agentControls } from "./agent-controls.ts";
import { agentInformation } from "./agent-information.ts";
import { jobGauges, readings, serverHealth, stats } from "./agent-readings.ts";
import { createClient } from "./client.ts";
import { type AgentConfig, formatEndpoint } from "./config/index.ts";
import { createParseJob } from "./job-files/parse-job.ts";
import { KnownMembers } from "./known-members.ts";
import { LogTap } from "./log-tap.ts";
import { ownMember } from "./members.ts";
import { Figures } from "./metrics/figures.ts";
import { requestTimes } from "./metrics/metered.ts";
import { RegionOpener } from "./open-region.ts";
import { type Server, startServer } from "./server.ts";
import { ServerKeeper } from "./server-keeper.ts";
import { openTls, reloadTls } from "./tls.ts";

export interface Agent {
  readonly config: AgentConfig;
  readonly server: Server | undefined;
  readonly client: NodeAgent | undefined;
  /** `host:port` of the HTTP API. */
  readonly http: string;
  /** `host:port` of gRPC; empty when this is no server. */
  readonly rpc: string;
  /** Reads again what may change while the agent runs: certificates, log level, and of the HTTP API headers, CORS and limits. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** Of loggers that can be told so. */
function setLevel(logger: Logger, level: string): void {
  if ("level" in logger) (logger as { level: string }).level = level;
}

/** What the parts of a running agent are, as far as they are there yet. */
interface Running {
  readonly config: AgentConfig;
  readonly channels: Channels;
  readonly rpcTls: TlsIdentity | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly tap: LogTap;
  readonly startedNs: number;
  readonly controls: AgentControls;
  readonly answer: AgentAnswerer;
  readonly meter: Figures;
  /** Requests of HTTP clients. */
  readonly waiting: { requests: number };
  readonly regions: RegionOpener;
  httpPort: number;
  keeper?: ServerKeeper;
  client?: NodeAgent;
}

/** Starts everything and resolves when requests are answered. `onFatal` is called when the agent must end; `read` reads the configuration again. */
export async function startAgent(
  given: AgentConfig,
  log: Logger,
  onFatal: (error: Error) => void,
  read?: () => Promise<AgentConfig>,
): Promise<Agent> {
  const clock = createClock();
  const tap = new LogTap(clock);
  const logger = tap.wrap(log);
  const temporary = given.dataDir === "" ? await mkdtemp(join(tmpdir(), "steppe-dev-")) : undefined;
  const config = temporary === undefined ? given : { ...given, dataDir: temporary };
  const identity = await openTls(config);
  const regions = new RegionOpener(config, logger);
  const rpcTls = config.tls?.rpc ? identity : undefined;
  const channels = createChannels({ clock, logger, ...(rpcTls && { tls: rpcTls }) });
  const random = createRandom();
  const listeners: ((changed: ChangeableOptions) => void)[] = [];
  const reload = async () => {
    // All of it is read before any of it counts.
    const fresh = await read?.();
    if (identity !== undefined) await reloadTls(config, identity, logger);
    if (fresh === undefined) return;
    for (const listener of listeners) listener(fresh.http);
    setLevel(log, fresh.logLevel);
    logger.info(
      { logLevel: fresh.logLevel, files: "http headers, cors, limits, log level" },
      "configuration read again",
    );
  };
  const startedNs = clock.wallNs();
  const controls = agentControls({
    ...{ config, clock, tap, reload },
    server: () => running.keeper?.server,
    client: () => running.client,
  });
  const answer = createAgentAnswerer(() => controls);
  const parts = { config, channels, rpcTls, clock, random, logger, tap, startedNs };
  const running: Running = {
    ...parts,
    controls,
    answer,
    meter: new Figures(clock),
    waiting: { requests: 0 },
    regions,
    httpPort: 0,
  };
  const https = config.tls?.http && identity ? { identity, verifyClient: config.tls.verifyHttpsClient } : undefined;
  const onChange = (listener: (changed: ChangeableOptions) => void) => void listeners.push(listener);
  const app = buildApp(httpNeeds(running), { ...config.http, ...(https && { tls: https }), onChange });
  const http = await startParts(running, app, onFatal).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    config,
    get server() {
      return running.keeper?.server;
    },
    client: running.client,
    http,
    rpc: running.keeper?.server?.rpcAddress ?? "",
    reload,
    close,
  };

  async function close(): Promise<void> {
    // First of all: another server is to lead while this one finishes what it was asked.
    const handedOver = running.keeper?.handOver();
    await running.client?.stop();
    await app.close();
    await handedOver;
    await running.keeper?.close();
    await regions.close();
    channels.close();
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }
}

/** Resolves with the address of the HTTP API. What was started before a failure is in `running`. */
async function startParts(running: Running, app: FastifyInstance, onFatal: (error: Error) => void): Promise<string> {
  const { config } = running;
  await listen(app, { host: config.addresses.http, port: config.ports.http });
  running.httpPort = (app.server.address() as AddressInfo).port;
  const port = config.advertise.http.port || running.httpPort;
  const http = formatEndpoint({ host: config.advertise.http.host, port });
  if (config.server.enabled) {
    const listen = listenOn(running);
    const openRegion = running.regions.open;
    running.keeper = new ServerKeeper((needs) => startServer({ ...running, ...needs, openRegion, apply, listen }), {
      ...running,
      onFatal,
    });
    await running.keeper.start();
  }
  if (config.client.enabled) running.client = await startClient(running, http);
  return http;
}

function listenOn({ config, rpcTls, clock, logger }: Running): (served: Implementations) => Promise<GrpcServer> {
  const at = { host: config.addresses.rpc, port: config.ports.rpc, region: config.region };
  return async (served) => {
    const server = await createGrpcServer({ ...at, ...(rpcTls && { tls: rpcTls }), clock, logger }, served);
    // A server that starts again in this process is to be found where it was.
    at.port = server.port;
    return server;
  };
}

async function startClient(running: Running, httpAddress: string): Promise<NodeAgent> {
  const client = createClient({ ...running, ownServer: running.keeper?.server?.rpcAddress, httpAddress });
  await client.start();
  return client;
}

function httpNeeds(running: Running): HttpNeeds {
  const { config, clock, logger, channels } = running;
  const server = () => running.keeper?.server;
  const remote = config.server.enabled
    ? undefined
    : createServerClient(() => running.client?.servers() ?? config.client.servers, config.region, channels);
  const told = remote && new KnownMembers(remote, clock, logger);
  return {
    region: config.region,
    name: `${config.name}.${config.region}`,
    datacenter: config.datacenter,
    route: (region): RegionServices => remote ?? started(server()).router.route(region),
    regions: () => told?.regions() ?? serving(running).directory.regions(clock.monotonicMs()),
    nodeId: () => running.client?.nodeId ?? "",
    members: (): readonly Member[] => told?.all() ?? serving(running).directory.members(clock.monotonicMs()),
    served: requestTimes(running.meter),
    waiting: running.waiting,
    learnMembers: async (call) => await told?.learn(call),
    agent: agentInformation({
      config,
      clock,
      member: () =>
        server()?.directory.self() ?? ownMember(config, "", running.startedNs, { http: running.httpPort, rpc: 0 }),
      serverHealth: () => (config.server.enabled ? serverHealth(server(), clock) : undefined),
      clientHealth: () =>
        config.client.enabled
          ? { ok: running.client !== undefined, message: running.client ? "ok" : "starting" }
          : undefined,
      stats: () => stats(server(), running.client),
      readings: () => readings(server(), running.client),
      jobGauges: () => jobGauges(server(), config.name),
      figures: running.meter,
    }),
    parseJob: createParseJob(clock, running.random),
    controls: running.controls,
    ...(config.server.enabled && { snapshots: () => serving(running).snapshots }),
    clock,
    logger,
  };
}

/** Members and regions are known to servers only. */
function serving({ config, keeper }: Running): Server {
  if (!config.server.enabled)
    throw new SteppeError("refused", "this agent is no server; ask a server for members and regions");
  return started(keeper?.server);
}

function started(server: Server | undefined): Server {
  if (server === undefined) throw new SteppeError("no-quorum", "this agent is starting");
  return server;
}
