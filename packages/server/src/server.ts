// One server process of a region: its replica, its services, its share of the leader's duties.
//
// Owns the order of things: what is started when, and stopped in which order. Decides nothing.
import { HeartbeatCollector, Leadership, ttlFor } from "@steppe/control";
import { type LogGapError, NOTHING_HELD, reportMessage } from "@steppe/log";
import { type Clock, type Logger, type Random, SteppeError } from "@steppe/model";
import {
  type Channels,
  createDirectory,
  createExchange,
  createRouter,
  type Directory,
  type Exchange,
  type GrpcServer,
  type Implementations,
  type Router,
  routedServices,
} from "@steppe/regions";
import type { apply } from "@steppe/state";
import type { AgentAnswerer } from "./agent-calls.ts";
import { type AgentConfig, formatEndpoint } from "./config/index.ts";
import { watchCutOff } from "./cut-off.ts";
import { createSnapshotDoor, type SnapshotDoor } from "./durability/snapshot-door.ts";
import { leaderDuties, onAppliedOf, proposeTo, type ServerDuties } from "./leader-duties.ts";
import { ownMember } from "./members.ts";
import { type Meter, NO_METER } from "./metrics/figures.ts";
import { neighbours } from "./neighbours.ts";
import type { OpenRegion } from "./open-region.ts";
import { type OpenedReplica, openReplica } from "./open-replica.ts";
import { keepPresence } from "./presence.ts";
import { createClientCalls } from "./services/client-calls.ts";
import { createNodeAgents } from "./services/node-agents.ts";
import { NodeCalls } from "./services/node-calls.ts";
import { NodeStreams } from "./services/node-streams.ts";
import { localServices } from "./services/region.ts";
import { createServerCalls } from "./services/server-calls.ts";
import { createWriter } from "./services/write.ts";
import { keepSnapshots } from "./snapshots.ts";
import { startWorkers, type Workers } from "./workers.ts";

/** How long running requests may take to finish when the server leaves. */
const CLOSE_GRACE_MS = 3000;

export interface ServerParts {
  readonly config: AgentConfig;
  readonly openRegion: OpenRegion;
  readonly apply: typeof apply;
  readonly channels: Channels;
  /** Serves these where others reach this server. */
  readonly listen: (implementations: Implementations) => Promise<GrpcServer>;
  /** Port the HTTP API got. */
  readonly httpPort: number;
  readonly meter?: Meter;
  /** Clients whose requests wait for answers: scheduling gives way to them. */
  readonly waiting?: { readonly requests: number };
  /** What is asked of this process by others; absent, all of it is refused. */
  readonly answer?: AgentAnswerer;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Ends the wait for a log that can be followed. */
  readonly signal?: AbortSignal;
  /** Why the log that was followed before was left. */
  readonly lost?: LogGapError | undefined;
  onFatal(error: Error): void;
}

export interface Server {
  readonly opened: OpenedReplica;
  readonly directory: Directory;
  readonly exchange: Exchange;
  readonly router: Router;
  readonly leadership: Leadership;
  readonly duties: ServerDuties;
  readonly workers: Workers;
  /** For operators. */
  readonly snapshots: SnapshotDoor;
  /** gRPC address others reach this server at. */
  readonly rpcAddress: string;
  /** Gives the lease back where it is held, and never takes it again; serves on. */
  handOver(): Promise<void>;
  /** Takes no new work, gives the lease back, tells the other regions, closes the log. */
  close(): Promise<void>;
}

export async function startServer(parts: ServerParts): Promise<Server> {
  const { config, channels, clock, random, logger, meter = NO_METER } = parts;
  const known = new Known();
  const name = `${config.name}.${config.region}`;
  const others = neighbours({
    ...{ name, region: config.region, channels, clock },
    members: () => known.peek()?.directory.members(clock.monotonicMs()),
  });
  const opened = await openReplica({ ...parts, others });
  const { replica, bus } = opened;
  const stopping = new AbortController();
  const route = (region: string) => known.get().router.route(region);
  const duties = leaderDuties({ config, replica, bus, clock, random, logger, route });

  const peers = () => {
    const servers = known.get().directory.servers(config.region, clock.monotonicMs());
    return servers.filter((server) => server.alive).map((server) => server.address);
  };
  const writer = createWriter(replica, clock);
  const calls = new NodeCalls();
  const clientCalls = createClientCalls({ view: replica.view, calls, channels, region: config.region, peers });
  const serverCalls = createServerCalls({
    ...{ region: config.region, channels, clock, answer: parts.answer ?? refuseAll },
    self: () => known.get().directory.self(),
    members: () => known.get().directory.members(clock.monotonicMs()),
    leader: () => replica.view.lease?.Address ?? "",
    snapshots: () => door,
    id: () => random.id(),
  });
  const local = localServices({
    config,
    replica,
    writer,
    clock,
    random,
    logger,
    clientCalls,
    serverCalls,
    store: opened.local?.store,
    route,
    peers,
  });
  const streams = new NodeStreams();
  replica.applier.onKept(({ changes }) => streams.publish(changes));
  const collector = new HeartbeatCollector({ bus, clock }, stopping.signal);
  const nodeAgents = createNodeAgents({
    replica,
    writer,
    streams,
    calls,
    cutOff: watchCutOff({ log: replica.log, clock }, stopping.signal),
    servers: peers,
    heard: (ids) => collector.heard(ids),
    heartbeatTtlMs: () => ttlFor(replica.view.nodes.size, random.fraction(), duties.timing),
  });

  const rpcs = meter.counter("nomad.nomad.rpc.request");
  const crossRegion = meter.counter("steppe.rpc.cross_region");
  const grpc = await parts.listen({
    region: routedServices({
      route(region, forwarded) {
        rpcs.add(1);
        if (forwarded === true) crossRegion.add(1);
        return known.get().router.route(region, forwarded);
      },
    }),
    membership: {
      exchange: (request, call) => known.get().exchange.service.exchange(request, call),
      held: async () => reportMessage((await opened.held?.()) ?? { name, position: NOTHING_HELD }),
    },
    nodeAgents,
  });
  const self = ownMember(config, random.id(), clock.wallNs(), { http: parts.httpPort, rpc: grpc.port });
  const directory = createDirectory({ self });
  const exchange = createExchange({ directory, channels, join: config.server.join, clock, random, logger });
  const router = createRouter({ self: { region: config.region }, directory, local, channels, clock, random, logger });
  known.set({ directory, exchange, router });

  const address = formatEndpoint({ host: self.Address, port: self.GrpcPort });
  const httpAddress = formatEndpoint({ host: config.advertise.http.host, port: self.HttpPort });
  const leadership = new Leadership(
    {
      ...{ holder: self.Name, address, httpAddress, ttlMs: config.server.leaseTtlMs },
      // An embedded log is open in one process at a time.
      isAlone: opened.settings.kind === "embedded",
    },
    {
      clock,
      random,
      logger,
      view: replica.view,
      digest: () => replica.state.digest.value,
      propose: proposeTo(replica),
      onApplied: onAppliedOf(replica),
    },
    duties.run,
  );
  const snapshots = keepSnapshots({
    ...{ config, replica, local: opened.local, clock, logger },
    leads: () => leadership.term !== undefined,
  });
  const door = createSnapshotDoor({
    ...{ region: config.region, snapshots, local: opened.local, replace: opened.replace },
    onReplaced: parts.onFatal,
  });
  const loops = [
    snapshots.run(stopping.signal),
    keepPresence(
      {
        bus,
        clock,
        logger,
        self: () => directory.self(),
        merge: (members) => directory.merge(members, clock.monotonicMs()),
      },
      stopping.signal,
    ),
    exchange.run(stopping.signal),
  ];
  leadership.start();
  const schedulers = { count: config.server.numSchedulers, types: config.server.enabledSchedulers };
  const workers = startWorkers(schedulers, {
    name: self.Name,
    replica,
    bus,
    clock,
    random,
    logger,
    meter,
    ...(parts.waiting && { waiting: parts.waiting }),
  });

  return {
    opened,
    directory,
    exchange,
    router,
    leadership,
    duties,
    workers,
    snapshots: door,
    rpcAddress: address,
    handOver: () => leadership.stop(),
    close: () => close({ grpc, workers, leadership, exchange, stopping, loops, replica }),
  };
}

function refuseAll(): never {
  throw new SteppeError("refused", "this agent does not tell of itself");
}

interface Closing {
  readonly grpc: GrpcServer;
  readonly workers: Workers;
  readonly leadership: Leadership;
  readonly exchange: Exchange;
  readonly stopping: AbortController;
  readonly loops: readonly Promise<void>[];
  readonly replica: OpenedReplica["replica"];
}

async function close({ grpc, workers, leadership, exchange, stopping, loops, replica }: Closing): Promise<void> {
  await Promise.all([leadership.stop(), workers.stop()]);
  await exchange.leave();
  await grpc.close(CLOSE_GRACE_MS);
  stopping.abort();
  await Promise.all(loops);
  await replica.close();
}

interface Whereabouts {
  readonly directory: Directory;
  readonly exchange: Exchange;
  readonly router: Router;
}

/** What is there only once the ports are known; a request that comes before is told so. */
class Known {
  #value: Whereabouts | undefined;

  set(value: Whereabouts): void {
    this.#value = value;
  }

  peek(): Whereabouts | undefined {
    return this.#value;
  }

  get(): Whereabouts {
    if (this.#value === undefined) throw new SteppeError("no-quorum", "this server is starting");
    return this.#value;
  }
}
