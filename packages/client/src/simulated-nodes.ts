// Many nodes from one process, which run nothing and say that they do.
//
// Nothing is kept per allocation but the end of those that end by themselves: what a node says
// follows from what the servers last told of the allocation.
import { type Clock, type Logger, packReports, type Random, type Report, SteppeError } from "@steppe/model";
import type { AssignedAllocation, NodeAllocations } from "@steppe/proto";
import { JobCache } from "./job-cache.ts";
import type { Connect } from "./needs.ts";
import { NodeSession } from "./node-session.ts";
import { ServerPool } from "./server-pool.ts";
import { decideMove, type GroupBehaviour, groupBehaviour } from "./simulated/behaviour.ts";
import { simulatedNode } from "./simulated/node.ts";
import { Sayings } from "./simulated/sayings.ts";
import { TimerWheel } from "./simulated/timer-wheel.ts";
import { type Deliver, type OutboxLimits, StatusOutbox } from "./status-outbox.ts";

export interface SimulateOptions {
  readonly connect: Connect;
  /** gRPC addresses; at least one. */
  readonly servers: readonly string[];
  readonly count: number;
  /** MHz a node. */
  readonly cpu: number;
  readonly memoryMb: number;
  /** Default 100 GiB. */
  readonly diskMb?: number;
  /** Default "dc1". */
  readonly datacenters?: readonly string[];
  readonly classes?: readonly string[];
  readonly nodePool?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly meta?: Readonly<Record<string, string>>;
  /** Default "sim-". */
  readonly namePrefix?: string;
  /** Default: those that jobs commonly name. */
  readonly drivers?: readonly string[];
  /** 16 bytes from which ids follow; the same seed makes the same nodes. Default: drawn. */
  readonly seed?: Uint8Array;
  /** Nodes on one stream; default 500. */
  readonly nodesPerStream?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface SimulatedNodes {
  readonly nodeIds: readonly string[];
  /** Resolves once every node is registered. */
  start(): Promise<void>;
  /** Falls silent; the servers will miss the heartbeats. */
  stop(): Promise<void>;
  stats(): SimulatedStats;
}

export interface SimulatedStats {
  readonly nodes: number;
  /** Told running, altogether. */
  readonly started: number;
  /** Told complete or failed, altogether. */
  readonly ended: number;
  readonly unacknowledged: number;
  readonly acknowledged: number;
}

const NODES_PER_STREAM = 500;
const OUTBOX: OutboxLimits = { gatherMs: 50, sendAt: 1000, batchMax: 1000, parallel: 2 };
/** Of the many allocations most have the same said of them. */
const together: Deliver<Report> = (server, { updates, nodes, requestId }, signal) =>
  server.reportAllocations({ Reports: packReports(updates), Nodes: nodes, RequestID: requestId }, signal);
const DRIVERS = ["mock_driver", "raw_exec", "exec", "docker", "java"];

export function simulateNodes(options: SimulateOptions): SimulatedNodes {
  const seed = options.seed ?? options.random.bytes(16);
  if (seed.length !== 16) throw new SteppeError("invalid", "simulate-nodes: the seed must be 16 bytes");
  const shape = {
    cpu: options.cpu,
    memoryMb: options.memoryMb,
    diskMb: options.diskMb ?? 100 * 1024,
    datacenters: options.datacenters?.length ? options.datacenters : ["dc1"],
    classes: options.classes ?? [],
    nodePool: options.nodePool ?? "default",
    attributes: options.attributes ?? {},
    meta: options.meta ?? {},
    namePrefix: options.namePrefix ?? "sim-",
    drivers: options.drivers ?? DRIVERS,
  };
  const nodes = Array.from({ length: options.count }, (_, n) => simulatedNode(shape, seed, n));
  const perStream = options.nodesPerStream ?? NODES_PER_STREAM;
  const batches: Batch[] = [];
  for (let from = 0; from < nodes.length; from += perStream) {
    batches.push(createBatch(nodes.slice(from, from + perStream), options));
  }
  return {
    nodeIds: nodes.map((node) => node.ID),
    start: async () => {
      await Promise.all(batches.map((batch) => batch.session.start()));
    },
    stop: async () => {
      await Promise.all(batches.map((batch) => batch.close()));
    },
    stats: () => sumStats(nodes.length, batches),
  };
}

interface Batch {
  readonly session: NodeSession;
  readonly outbox: StatusOutbox<Report>;
  readonly counts: { started: number; ended: number };
  close(): Promise<void>;
}

interface Ending {
  readonly id: string;
  readonly nodeId: string;
  readonly behaviour: GroupBehaviour;
  readonly startedNs: number;
}

/** The nodes of one stream. */
function createBatch(nodes: ConstructorParameters<typeof NodeSession>[0]["nodes"], options: SimulateOptions): Batch {
  const { clock, random, logger } = options;
  const pool = new ServerPool(options.servers, options.connect, clock, random);
  const identities = nodes.map(({ ID, SecretID }) => ({ NodeID: ID, SecretID }));
  const identityOf = new Map(identities.map((identity) => [identity.NodeID, identity]));
  const outbox = new StatusOutbox(pool, identities, together, OUTBOX, clock, random, logger);
  const counts = { started: 0, ended: 0 };
  const sayings = new Sayings();
  const jobs = new JobCache();
  const behaviours = new Map<string, GroupBehaviour>();

  const end = (id: string, nodeId: string, tasks: readonly string[], failed: boolean, startedNs: number) => {
    counts.ended += 1;
    const said = sayings.ended(tasks, failed, startedNs, clock.wallNs());
    outbox.add({ ID: id, DeploymentID: "", said }, identityOf.get(nodeId));
  };
  const wheel = new TimerWheel<Ending>(clock, (endings) => {
    for (const { id, nodeId, behaviour, startedNs } of endings) {
      end(id, nodeId, behaviour.tasks, behaviour.failed, startedNs);
    }
  });

  const behaviourOf = (assigned: AssignedAllocation): GroupBehaviour => {
    const key = `${assigned.Namespace}\0${assigned.JobID}\0${assigned.JobVersion}\0${assigned.TaskGroup}`;
    const known = behaviours.get(key);
    if (known !== undefined) return known;
    const job = jobs.find(assigned);
    if (job === undefined)
      throw new Error(`the stream did not carry version ${assigned.JobVersion} of job ${assigned.JobID}`);
    const made = groupBehaviour(job, assigned.TaskGroup);
    behaviours.set(key, made);
    return made;
  };
  const watchEnd = ({ ID: id, NodeID: nodeId }: AssignedAllocation, behaviour: GroupBehaviour) => {
    if (behaviour.runForMs === undefined || wheel.has(id)) return;
    wheel.add(id, { id, nodeId, behaviour, startedNs: clock.wallNs() }, behaviour.runForMs);
  };
  const tellRunning = (assigned: AssignedAllocation, behaviour: GroupBehaviour) => {
    const { ID, NodeID, DeploymentID } = assigned;
    outbox.add({ ID, DeploymentID, said: sayings.running(behaviour, clock.wallNs()) }, identityOf.get(NodeID));
    watchEnd(assigned, behaviour);
  };
  const act = (assigned: AssignedAllocation) => {
    switch (decideMove(assigned)) {
      case "run": {
        const behaviour = behaviourOf(assigned);
        const isUnknown = assigned.ClientStatus === "unknown";
        // Told before, and not yet heard by this server.
        if ((wheel.has(assigned.ID) && !isUnknown) || outbox.has(assigned.ID)) return;
        if (!isUnknown) counts.started += 1;
        return tellRunning(assigned, behaviour);
      }
      case "tell": {
        const behaviour = behaviourOf(assigned);
        // One whose end is on its way must not be told alive.
        if (outbox.has(assigned.ID) && behaviour.runForMs !== undefined) return;
        return tellRunning(assigned, behaviour);
      }
      case "resume":
        // One whose end is on its way must not be started over.
        if (!outbox.has(assigned.ID)) watchEnd(assigned, behaviourOf(assigned));
        return;
      case "stop":
        wheel.cancel(assigned.ID);
        // The job of a stopped allocation is not always carried; its tasks' names are then left out.
        return end(
          assigned.ID,
          assigned.NodeID,
          jobs.find(assigned) === undefined ? [] : behaviourOf(assigned).tasks,
          false,
          0,
        );
      case "none":
        wheel.cancel(assigned.ID);
    }
  };
  const received = (message: NodeAllocations) => {
    if (message.Full) {
      jobs.clear();
      behaviours.clear();
    }
    jobs.add(message.Jobs);
    for (const assigned of message.Allocations) act(assigned);
    for (const id of message.RemovedIDs) {
      wheel.cancel(id);
      outbox.drop(id);
    }
  };

  const session = new NodeSession({ nodes, pool, received, clock, random, logger });
  return {
    session,
    outbox,
    counts,
    close: async () => {
      wheel.close();
      await session.close();
      outbox.close();
    },
  };
}

function sumStats(nodes: number, batches: readonly Batch[]): SimulatedStats {
  const sum = (of: (batch: Batch) => number) => batches.reduce((total, batch) => total + of(batch), 0);
  return {
    nodes,
    started: sum((batch) => batch.counts.started),
    ended: sum((batch) => batch.counts.ended),
    unacknowledged: sum((batch) => batch.outbox.size),
    acknowledged: sum((batch) => batch.outbox.acknowledged),
  };
}
