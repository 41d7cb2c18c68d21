import { type Call, isReportedIds, reportedIds, SteppeError } from "@steppe/model";
import { type AllocationReports, type Node, type NodeIdentity, NodePool } from "@steppe/proto";
import type { NodeAgentsService } from "@steppe/regions";
import type { CutOff } from "../cut-off.ts";
import type { Replica } from "../replica.ts";
import type { NodeCalls } from "./node-calls.ts";
import { NodeStream, type NodeStreams } from "./node-streams.ts";
import type { Writer } from "./write.ts";

export interface NodeAgentNeeds {
  readonly replica: Replica;
  readonly writer: Writer;
  readonly streams: NodeStreams;
  readonly calls: NodeCalls;
  readonly cutOff: CutOff;
  /** gRPC addresses of the region's live servers. */
  servers(): string[];
  /** Passes on who was heard, to whoever times heartbeats. */
  heard(nodeIds: readonly string[]): void;
  /** Milliseconds a node may stay silent. */
  heartbeatTtlMs(): number;
}

/**
 * What this server does for the node agents of its region. While it is cut off from the log it can neither tell
 * that they live nor hear what they are to do, so it refuses them all, and ends their streams with an error: agents
 * then go to another server, before they are missed.
 */
export function createNodeAgents(needs: NodeAgentNeeds): NodeAgentsService {
  const { replica, writer, streams } = needs;
  const { view } = replica;
  const ttl = () => Math.round(needs.heartbeatTtlMs() * 1e6);

  return {
    async register(request, call) {
      for (const node of request.Nodes) checkNode(node);
      await bringPools(request.Nodes, call);
      const writes = request.Nodes.map((node, n) =>
        writer.write(writeOptions(request.RequestID, n), call, { $case: "RegisterNode", value: { Node: node } }),
      );
      const outcomes = await Promise.all(writes);
      needs.heard(request.Nodes.map((node) => node.ID));
      const index = outcomes.reduce((latest, outcome) => Math.max(latest, outcome.Index), 0);
      return { Index: index, HeartbeatTTL: ttl(), Servers: needs.servers() };
    },

    async heartbeat(request, call) {
      needs.cutOff.refuse();
      const known = request.Nodes.filter((identity) => view.nodes.get(identity.NodeID) !== undefined);
      const unknown = request.Nodes.filter((identity) => view.nodes.get(identity.NodeID) === undefined);
      for (const identity of known) checkSecret(identity);
      const ids = known.map((identity) => identity.NodeID);
      needs.heard(ids);
      await revive(ids, call);
      return {
        HeartbeatTTL: ttl(),
        Servers: needs.servers(),
        UnknownNodeIDs: unknown.map((identity) => identity.NodeID),
      };
    },

    async *watchAllocations(request, call) {
      const { cutOff, signal } = await caughtUp(call);
      for (const identity of request.Nodes) checkSecret(identity);
      const ids = request.Nodes.map((identity) => identity.NodeID);
      const stream = new NodeStream(view);
      streams.add(ids, stream);
      // An agent that comes from another server may be late with its heartbeat.
      needs.heard(ids);
      try {
        yield* stream.messages(ids, signal);
      } finally {
        streams.remove(ids, stream);
      }
      cutOff.throwIfAborted();
    },

    async *takeRequests({ Node }, call) {
      const { cutOff, signal } = await caughtUp(call);
      if (Node === undefined) throw new SteppeError("invalid", "missing node identity");
      checkSecret(Node);
      yield* needs.calls.requests(Node.NodeID, signal);
      cutOff.throwIfAborted();
    },

    async answer(answer, _call) {
      if (answer.Node === undefined) throw new SteppeError("invalid", "missing node identity");
      checkSecret(answer.Node);
      return { Gone: !(await needs.calls.answer(answer)) };
    },

    async updateAllocations(request, call) {
      checkOwners(
        request.Nodes,
        request.Updates.map(({ ID }) => ID),
      );
      const outcome = await writer.write(writeOptions(request.RequestID), call, {
        $case: "UpdateAllocations",
        value: { Updates: request.Updates },
      });
      return { Index: outcome.Index };
    },

    async reportAllocations({ Nodes, Reports, RequestID }, call) {
      checkOwners(Nodes, idsOf(Reports));
      const value = { Reports };
      const outcome = await writer.write(writeOptions(RequestID), call, { $case: "ReportAllocations", value });
      return { Index: outcome.Index };
    },
  };

  /**
   * An older replica may not know a node that has only just registered, and would leave out new allocations, which
   * the agent would then stop. `signal` is what ends a stream.
   */
  async function caughtUp(call: Pick<Call, "signal">): Promise<{ cutOff: AbortSignal; signal: AbortSignal }> {
    const cutOff = needs.cutOff.signal();
    const signal = AbortSignal.any([call.signal, cutOff]);
    await replica.applier.waitFor(await replica.freshness.lastIndex(signal), signal);
    return { cutOff, signal };
  }

  /** A pool that only its nodes name exists from then on. */
  async function bringPools(nodes: readonly Node[], call: Call): Promise<void> {
    const names = new Set(nodes.map((node) => node.NodePool || "default").filter((name) => !view.nodePools.get(name)));
    if (names.size === 0) return;
    const NodePools = [...names].map((Name) => NodePool.create({ Name }));
    await writer.write(undefined, call, { $case: "UpsertNodePools", value: { NodePools, OnlyNew: true } });
  }

  function checkSecret({ NodeID, SecretID }: NodeIdentity): void {
    const node = view.nodes.get(NodeID);
    if (node === undefined) throw new SteppeError("not-found", "node not found");
    if (node.SecretID !== SecretID) throw new SteppeError("permission-denied", "node secret ID does not match");
  }

  /** A node speaks of its own allocations only. Those that this replica does not know (yet) change nothing. */
  function checkOwners(nodes: readonly NodeIdentity[], allocIds: Iterable<string>): void {
    for (const identity of nodes) checkSecret(identity);
    const own = new Set(nodes.map(({ NodeID }) => NodeID));
    for (const id of allocIds) {
      const allocation = view.allocations.get(id);
      if (allocation === undefined || own.has(allocation.NodeID)) continue;
      throw new SteppeError("permission-denied", `allocation ${id} is not on a node that this update is from`);
    }
  }

  /** A node that was given up and speaks again is ready again. */
  async function revive(ids: readonly string[], call: Call): Promise<void> {
    const down = ids.filter((id) => view.nodes.get(id)?.Status !== "ready");
    if (down.length === 0) return;
    await writer.write(undefined, call, {
      $case: "UpdateNodeStatus",
      value: { NodeIDs: down, Status: "ready", Message: "Node reregistered by heartbeat", Term: 0 },
    });
  }
}

function* idsOf(reports: readonly AllocationReports[]): Generator<string> {
  for (const { AllocIDs } of reports.flatMap(({ Of }) => Of)) {
    if (!isReportedIds(AllocIDs)) throw new SteppeError("invalid", "allocation IDs must be of 36 characters each");
    yield* reportedIds(AllocIDs);
  }
}

function checkNode(node: Node): void {
  const missing = (["ID", "SecretID", "Datacenter", "Name"] as const).find((field) => node[field] === "");
  if (missing !== undefined) throw new SteppeError("invalid", `missing node ${missing} for client registration`);
}

function writeOptions(requestId: string, n?: number) {
  const id = requestId === "" || n === undefined ? requestId : `${requestId}/${n}`;
  return { Region: "", Namespace: "", AuthToken: "", RequestID: id, Fingerprint: "", Forwarded: false };
}
