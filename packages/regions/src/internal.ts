// For tests and benches only.
export { grpcMethods } from "./grpc-definition.ts";
export { mapRegionServices } from "./region-services.ts";
