// A region of one server, driven by hand: it notes what nodes say and streams what a test pushes.
import { reportedIds } from "@steppe/model";
import {
  AllocationUpdate,
  type Node,
  NodeAllocations,
  NodeHeartbeatResponse,
  NodeRegisterResponse,
  type NodeUpdateAllocationsRequest,
  NodeUpdateAllocationsResponse,
} from "@steppe/proto";
import type { Connect, NodeAgentServer } from "../needs.ts";

/** One open allocation stream. */
export interface AgentDouble {
  readonly nodeIds: readonly string[];
  push(message: Partial<NodeAllocations>): void;
  /** Ends the stream as a lost connection does. */
  fail(error: Error): void;
}

export interface ServerDouble {
  readonly connect: Connect;
  readonly registered: Node[];
  readonly heartbeats: string[][];
  /** Every request, also those that were failed. */
  readonly requests: NodeUpdateAllocationsRequest[];
  /** By report of many allocations: how many. */
  readonly reported: number[];
  /** The newest acknowledged update by allocation. */
  readonly updates: Map<string, AllocationUpdate>;
  readonly streams: AgentDouble[];
  /** Told in the next heartbeat's answer. */
  unknown: string[];
  ttlNs: number;
  /** Called before each call is answered; throws to have it fail. */
  intercept: (method: keyof NodeAgentServer, address: string) => void;
}

export function createServerDouble(): ServerDouble {
  const double: ServerDouble = {
    connect: (address) => serverAt(double, address),
    registered: [],
    heartbeats: [],
    requests: [],
    reported: [],
    updates: new Map(),
    streams: [],
    unknown: [],
    ttlNs: 10e9,
    intercept: () => {},
  };
  return double;
}

function serverAt(double: ServerDouble, address: string): NodeAgentServer {
  return {
    register: async (request) => {
      double.intercept("register", address);
      double.registered.push(...request.Nodes);
      return NodeRegisterResponse.create({ Index: 1, HeartbeatTTL: double.ttlNs, Servers: [] });
    },
    heartbeat: async (request) => {
      double.intercept("heartbeat", address);
      double.heartbeats.push(request.Nodes.map((node) => node.NodeID));
      return NodeHeartbeatResponse.create({ HeartbeatTTL: double.ttlNs, UnknownNodeIDs: double.unknown.splice(0) });
    },
    updateAllocations: async (request) => {
      double.requests.push(request);
      double.intercept("updateAllocations", address);
      for (const update of request.Updates) double.updates.set(update.ID, update);
      return NodeUpdateAllocationsResponse.create({ Index: 1 });
    },
    reportAllocations: async ({ Reports }) => {
      double.intercept("reportAllocations", address);
      double.reported.push(Reports.flatMap(({ Of }) => Of.flatMap((it) => [...reportedIds(it.AllocIDs)])).length);
      for (const { Update, Of } of Reports) {
        for (const { DeploymentID, AllocIDs } of Of) {
          for (const ID of reportedIds(AllocIDs)) {
            double.updates.set(ID, { ...AllocationUpdate.create(Update), ID, DeploymentID });
          }
        }
      }
      return NodeUpdateAllocationsResponse.create({ Index: 1 });
    },
    async *takeRequests(_request, signal) {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    },
    answer: async () => ({ Gone: true }),
    watchAllocations: (request, signal) => {
      double.intercept("watchAllocations", address);
      const stream = openStream(
        request.Nodes.map((node) => node.NodeID),
        signal,
      );
      double.streams.push(stream.double);
      return stream.messages;
    },
  };
}

function openStream(nodeIds: string[], signal: AbortSignal) {
  const queue: NodeAllocations[] = [];
  let failure: Error | undefined;
  let wake = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => wake.resolve(), { once: true });
  const double: AgentDouble = {
    nodeIds,
    push: (message) => {
      queue.push(NodeAllocations.create(message));
      wake.resolve();
    },
    fail: (error) => {
      failure = error;
      wake.resolve();
    },
  };
  async function* messages(): AsyncGenerator<NodeAllocations> {
    for (;;) {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) yield next;
      if (failure !== undefined) throw failure;
      if (signal.aborted) return;
      await wake.promise;
      wake = Promise.withResolvers<void>();
      if (signal.aborted) return;
    }
  }
  return { double, messages: messages() };
}
