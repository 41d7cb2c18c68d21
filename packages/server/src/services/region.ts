import { cronError, type RouteTo } from "@steppe/control";
import { type Clock, DEFAULT_LIMITS, type Logger, type Random } from "@steppe/model";
import type { RegionServices } from "@steppe/regions";
import type { AgentConfig } from "../config/index.ts";
import type { LocalStore } from "../durability/local-store.ts";
import type { Replica } from "../replica.ts";
import { createAllocations } from "./allocations.ts";
import { createDeployments } from "./deployments.ts";
import { createEvaluations } from "./evaluations.ts";
import { createEvents } from "./events.ts";
import { createJobRollouts } from "./job-rollouts.ts";
import { createJobs } from "./jobs.ts";
import { createNamespaces } from "./namespaces.ts";
import { createNodePools } from "./node-pools.ts";
import { createNodes } from "./nodes.ts";
import { createOperator } from "./operator.ts";
import { createReader } from "./read.ts";
import { createScaling } from "./scaling.ts";
import { createSearch } from "./search.ts";
import { createServiceRegistrations } from "./service-registrations.ts";
import { createStatus } from "./status.ts";
import { createSystem } from "./system.ts";
import { createVariables } from "./variables.ts";
import type { Writer } from "./write.ts";

export interface RegionParts {
  readonly config: AgentConfig;
  readonly replica: Replica;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly clientCalls: RegionServices["clientCalls"];
  readonly serverCalls: RegionServices["serverCalls"];
  /** Where this server keeps snapshots and a journal of its own. */
  readonly store?: LocalStore | undefined;
  readonly route: RouteTo;
  /** gRPC addresses of the region's live servers. */
  peers(): string[];
}

/** The services of this region, done here. */
export function localServices({
  config,
  replica,
  writer,
  clock,
  random,
  logger,
  clientCalls,
  serverCalls,
  store,
  route,
  peers,
}: RegionParts): RegionServices {
  const reader = createReader(replica, clock, () => random.fraction());
  const limits = {
    defaults: { region: config.region, priority: config.server.jobDefaultPriority },
    validation: {
      ...DEFAULT_LIMITS,
      priorityMax: config.server.jobMaxPriority,
      countMax: config.server.jobMaxCount,
      cronError,
    },
    sourceBytesMax: config.server.jobMaxSourceBytes,
  };
  return {
    jobs: createJobs(reader, writer, limits, random, createJobRollouts(reader, writer, config.region, route)),
    deployments: createDeployments(reader, writer),
    evaluations: createEvaluations(reader, writer),
    events: createEvents(replica, clock, store),
    allocations: createAllocations(reader, writer),
    nodes: createNodes(reader, writer),
    namespaces: createNamespaces(reader, writer, config.region),
    nodePools: createNodePools(reader, writer, config.region),
    system: createSystem(replica, writer, clock, logger),
    variables: createVariables(reader, writer),
    search: createSearch(reader),
    clientCalls,
    serverCalls,
    operator: createOperator(reader, writer, replica, `${config.name}.${config.region}`),
    scaling: createScaling(reader),
    services: createServiceRegistrations(reader, writer),
    status: createStatus(replica.view, clock, peers),
  };
}
