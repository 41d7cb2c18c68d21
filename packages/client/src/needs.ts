// What the node agent needs of others. The server package adapts the gRPC client to it; tests
// hand in a server of their own.
import type {
  NodeAllocations,
  NodeAnswer,
  NodeAnswerResponse,
  NodeHeartbeatRequest,
  NodeHeartbeatResponse,
  NodeRegisterRequest,
  NodeRegisterResponse,
  NodeReportAllocationsRequest,
  NodeRequest,
  NodeUpdateAllocationsRequest,
  NodeUpdateAllocationsResponse,
  TakeRequestsRequest,
  WatchAllocationsRequest,
} from "@steppe/proto";

/**
 * One server of the region. Calls reject when the signal aborts, when the server cannot be reached
 * and with `SteppeError` when it refuses; after a rejection a write may still take effect.
 */
export interface NodeAgentServer {
  register(request: NodeRegisterRequest, signal: AbortSignal): Promise<NodeRegisterResponse>;
  heartbeat(request: NodeHeartbeatRequest, signal: AbortSignal): Promise<NodeHeartbeatResponse>;
  updateAllocations(request: NodeUpdateAllocationsRequest, signal: AbortSignal): Promise<NodeUpdateAllocationsResponse>;
  /** The same for many nodes that say the same of many allocations. */
  reportAllocations(request: NodeReportAllocationsRequest, signal: AbortSignal): Promise<NodeUpdateAllocationsResponse>;
  /** Requests to the node, until the signal aborts. Ends or throws when the connection does. */
  takeRequests(request: TakeRequestsRequest, signal: AbortSignal): AsyncIterable<NodeRequest>;
  /** Resolves when the piece was taken in. */
  answer(answer: NodeAnswer, timeoutMs: number, signal: AbortSignal): Promise<NodeAnswerResponse>;
  /** First a `Full` message, then changes in the order they commit. Ends or throws when the connection does, and when the signal aborts. */
  watchAllocations(request: WatchAllocationsRequest, signal: AbortSignal): AsyncIterable<NodeAllocations>;
}

/** Never fails: a server that cannot be reached shows in the calls. `address` is "host:port". */
export type Connect = (address: string) => NodeAgentServer;
