import { quote, type Service, SteppeError } from "@steppe/model";
import type { ClientCallFrame, ClientCallRequest, ClientCallsDefinition } from "@steppe/proto";
import { type Channels, connectClientCalls } from "@steppe/regions";
import type { StateView } from "@steppe/state";
import { NO_PATH_TO_NODE, type NodeCalls, noPathToNode } from "./node-calls.ts";

export interface ClientCallParts {
  readonly view: StateView;
  readonly calls: NodeCalls;
  readonly channels: Channels;
  readonly region: string;
  /** gRPC addresses of the region's live servers. */
  peers(): string[];
}

/**
 * Requests to the node agents of this region. A node is connected to one server: where that is not this
 * one, the others are asked in turn, and none of them passes the request on again.
 */
export function createClientCalls(parts: ClientCallParts): Service<ClientCallsDefinition> {
  const { view, calls, channels, region } = parts;
  const others = () => parts.peers().map((address) => connectClientCalls(address, region, channels));

  return {
    async *open(request, call) {
      const nodeId = nodeOf(view, request);
      if (request.Local || calls.reaches(nodeId)) {
        const { CallID, Method, AllocID, Arguments } = request;
        for await (const Data of calls.open(CallID, nodeId, { Method, AllocID, Arguments }, call.signal))
          yield { Data };
        return;
      }
      for (const other of others()) {
        const answer = await begin(other.open({ ...request, NodeID: nodeId, Local: true }, call));
        if (answer === undefined) continue;
        yield* answer;
        return;
      }
      throw noPathToNode();
    },

    async input(request, call) {
      const taken = calls.input(request.CallID, request.Data);
      if (taken || request.Local) return {};
      const sent = others().map((other) => other.input({ ...request, Local: true }, call));
      // One of them has the call; that another one does not answer is of no concern.
      await Promise.allSettled(sent);
      return {};
    },
  };
}

/** The answer with its first piece there; undefined when that server has no path to the node, or gives no answer. */
async function begin(frames: AsyncIterable<ClientCallFrame>): Promise<AsyncIterable<ClientCallFrame> | undefined> {
  const iterator = frames[Symbol.asyncIterator]();
  let first: IteratorResult<ClientCallFrame>;
  try {
    first = await iterator.next();
  } catch (error) {
    if (error instanceof SteppeError && error.message !== NO_PATH_TO_NODE) throw error;
    return undefined;
  }
  return (async function* () {
    for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
  })();
}

function nodeOf(view: StateView, { NodeID, AllocID }: ClientCallRequest): string {
  if (NodeID === "" && AllocID === "") throw new SteppeError("invalid", "Missing allocation ID");
  const allocation = AllocID === "" ? undefined : view.allocations.get(AllocID);
  if (AllocID !== "" && allocation === undefined) {
    throw new SteppeError("not-found", `Unknown allocation ${quote(AllocID)}`);
  }
  const nodeId = NodeID || (allocation?.NodeID ?? "");
  const node = view.nodes.get(nodeId);
  if (node === undefined) throw new SteppeError("not-found", `Unknown node ${quote(nodeId)}`);
  return nodeId;
}
