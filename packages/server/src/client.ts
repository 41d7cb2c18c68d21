import { join } from "node:path";
import { type ClientConfig as AgentParams, createAgent, type NodeAgent, type NodeAgentServer } from "@steppe/client";
import type { Clock, Logger, Random } from "@steppe/model";
import { type Channels, connectNodeAgents } from "@steppe/regions";
import type { AgentAnswerer } from "./agent-calls.ts";
import type { AgentConfig } from "./config/index.ts";

const CALL_TIMEOUT_MS = 10_000;

/** How node agents reach a server: gRPC. */
export function connectOverGrpc(region: string, channels: Channels): (address: string) => NodeAgentServer {
  return (address) => {
    const client = connectNodeAgents(address, region, channels);
    const call = (signal: AbortSignal) => ({ signal, timeoutMs: CALL_TIMEOUT_MS });
    return {
      register: (request, signal) => client.register(request, call(signal)),
      heartbeat: (request, signal) => client.heartbeat(request, call(signal)),
      updateAllocations: (request, signal) => client.updateAllocations(request, call(signal)),
      reportAllocations: (request, signal) => client.reportAllocations(request, call(signal)),
      takeRequests: (request, signal) => client.takeRequests(request, { signal }),
      answer: (answer, timeoutMs, signal) => client.answer(answer, { signal, timeoutMs }),
      watchAllocations: (request, signal) => client.watchAllocations(request, { signal }),
    };
  };
}

export interface ClientParts {
  readonly config: AgentConfig;
  readonly channels: Channels;
  /** Where this process serves gRPC itself, if it does: its agent then talks to it. */
  readonly ownServer: string | undefined;
  readonly httpAddress: string;
  readonly answer: AgentAnswerer;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The node agent of this process. */
export function createClient(parts: ClientParts): NodeAgent {
  const { config, channels, clock, random, logger } = parts;
  const servers = parts.ownServer === undefined ? config.client.servers : [parts.ownServer, ...config.client.servers];
  return createAgent({
    config: clientParams(config, servers, parts.httpAddress),
    connect: connectOverGrpc(config.region, channels),
    answer: parts.answer,
    clock,
    random,
    logger,
  });
}

function clientParams(config: AgentConfig, servers: readonly string[], httpAddress: string): AgentParams {
  const { client, dataDir } = config;
  return {
    servers,
    region: config.region,
    datacenter: config.datacenter,
    name: config.name,
    nodeClass: client.nodeClass,
    nodePool: client.nodePool,
    meta: client.meta,
    dataDir,
    stateDir: client.stateDir || join(dataDir, "client"),
    allocDir: client.allocDir || join(dataDir, "alloc"),
    httpAddress,
    reserved: {
      cpu: client.reserved.cpu,
      memoryMb: client.reserved.memoryMb,
      diskMb: client.reserved.diskMb,
      ports: client.reserved.ports.join(","),
    },
    dynamicPorts: client.dynamicPorts,
    hostVolumes: client.hostVolumes,
    cpuTotalCompute: client.cpuTotalCompute,
    memoryTotalMb: client.memoryTotalMb,
    diskTotalMb: client.diskTotalMb,
    hostEnv: hostEnvironment(),
    // What -dev started is gone with it, as with the peer.
    killTasksOnStop: config.dev,
    gcMaxAllocs: client.gc.maxAllocs,
  };
}

/** What tasks inherit, as with the peer: the agent's own environment. */
function hostEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
