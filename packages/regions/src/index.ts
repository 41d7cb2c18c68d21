export { joinAddress, splitAddress, withPort } from "./address.ts";
export { certificateNames, describeNames, hasRole } from "./certificate-names.ts";
export type { ChannelState, ServerChannel } from "./channel.ts";
export { type Channels, createChannels } from "./channels.ts";
export { connectClientCalls, connectServerCalls } from "./client-calls-client.ts";
export {
  ALIVE,
  createDirectory,
  type Directory,
  type DirectoryOptions,
  FAILED,
  LEFT,
  type RegionServer,
} from "./directory.ts";
export { createExchange, type Exchange, type ExchangeOptions } from "./exchange.ts";
export { createRouter, type Router, type RouterOptions } from "./forward-client.ts";
export { createGrpcServer, type GrpcServer, type GrpcServerOptions, type Implementations } from "./forward-server.ts";
export { askHeld } from "./held-client.ts";
export { connectNodeAgents, type NodeAgentsClient } from "./node-agent-client.ts";
export type { MembershipService, NodeAgentsService, RegionServices } from "./region-services.ts";
export { type RegionView, type Route, routeRequest } from "./route.ts";
export { routedServices } from "./routed-services.ts";
export { createServerClient } from "./server-client.ts";
export { TlsIdentity, type TlsMaterial, type TlsSettings } from "./tls-identity.ts";
export { TransportFailure, type TransportFailureKind } from "./transport-failure.ts";
