import type { Service } from "@steppe/model";
import { ClientCallsDefinition } from "@steppe/proto";
import type { Channels } from "./channels.ts";
import { grpcMethods } from "./grpc-definition.ts";

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
