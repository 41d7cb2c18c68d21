// For tests, benches and the simulator only.
export { blockingMs, queryOf } from "./blocking.ts";
export { type GrpcMethod, grpcMethods } from "./grpc-definition.ts";
export { CLOSING, decodeError, encodeError, type WireStatus } from "./grpc-errors.ts";
export { mapRegionServices, REGION_DEFINITIONS } from "./region-services.ts";
export type { UnaryOptions } from "./unary-call.ts";
