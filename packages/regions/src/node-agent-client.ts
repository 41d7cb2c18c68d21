import type { Call, Service } from "@steppe/model";
import {
  NodeAgentsDefinition,
  type NodeAllocations,
  type NodeRequest,
  type TakeRequestsRequest,
  type WatchAllocationsRequest,
} from "@steppe/proto";
import type { Channels } from "./channels.ts";
import { type GrpcMethod, grpcMethods } from "./grpc-definition.ts";

/**
 * The node agents' service of one server. Calls reject with the server's `SteppeError`, with a
 * `TransportFailure` when none answered (try the next server), or with the signal's reason.
 */
export interface NodeAgentsClient extends Omit<Service<NodeAgentsDefinition>, "watchAllocations" | "takeRequests"> {
  /** Ends only with a failure, the signal, or when the consumer stops. */
  watchAllocations(
    request: WatchAllocationsRequest,
    call: { readonly signal: AbortSignal },
  ): AsyncIterable<NodeAllocations>;
  /** As `watchAllocations`. */
  takeRequests(request: TakeRequestsRequest, call: { readonly signal: AbortSignal }): AsyncIterable<NodeRequest>;
}

const METHODS = grpcMethods(NodeAgentsDefinition);

/** `address`: `host:port` of a server of `region`. Connects when first used. */
export function connectNodeAgents(address: string, region: string, channels: Channels): NodeAgentsClient {
  const channel = channels.to(address, region);
  const unary =
    <Request, Response>(method: GrpcMethod<Request, Response>) =>
    (request: Request, call: Call) =>
      channel.unary(method, request, call);
  return {
    register: unary(METHODS.register),
    heartbeat: unary(METHODS.heartbeat),
    updateAllocations: unary(METHODS.updateAllocations),
    reportAllocations: unary(METHODS.reportAllocations),
    answer: unary(METHODS.answer),
    takeRequests: (request, { signal }) => channel.stream(METHODS.takeRequests, request, signal),
    watchAllocations: (request, { signal }) => channel.stream(METHODS.watchAllocations, request, signal),
  };
}
