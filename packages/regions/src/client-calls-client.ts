import type { Service } from "@steppe/model";
import { ClientCallsDefinition, ServerCallsDefinition } from "@steppe/proto";
import type { Channels } from "./channels.ts";
import { grpcMethods } from "./grpc-definition.ts";

const SERVER_METHODS = grpcMethods(ServerCallsDefinition);
const METHODS = grpcMethods(ClientCallsDefinition);

/** The same service of another server of the region: the one that a node is connected to. Fails as `NodeAgentsClient` does. */
export function connectClientCalls(
  address: string,
  region: string,
  channels: Channels,
): Service<ClientCallsDefinition> {
  const channel = channels.to(address, region);
  return {
    open: (request, { signal }) => channel.stream(METHODS.open, request, signal),
    input: (request, call) => channel.unary(METHODS.input, request, call),
  };
}

/** The same service of another server of the region. */
export function connectServerCalls(
  address: string,
  region: string,
  channels: Channels,
): Service<ServerCallsDefinition> {
  const channel = channels.to(address, region);
  return {
    open: (request, { signal }) => channel.stream(SERVER_METHODS.open, request, signal),
    restore: (request, call) => channel.unary(SERVER_METHODS.restore, request, call),
    members: (request, call) => channel.unary(SERVER_METHODS.members, request, call),
  };
}
