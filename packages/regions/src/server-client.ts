import { type Call, SteppeError } from "@steppe/model";
import type { Channels } from "./channels.ts";
import { type GrpcMethod, grpcMethods } from "./grpc-definition.ts";
import {
  type AnyMethod,
  type AnyStream,
  mapRegionServices,
  REGION_DEFINITIONS,
  type RegionServices,
} from "./region-services.ts";
import { firstThatStreams } from "./stream-call.ts";
import { TransportFailure } from "./transport-failure.ts";

/**
 * Services done by whichever of these servers of `region` answers: how an agent that is no server itself
 * serves requests. The region that a request names is the server's to find. A write goes to
 * another server only when the first cannot have had it.
 */
export function createServerClient(
  addresses: () => readonly string[],
  region: string,
  channels: Channels,
): RegionServices {
  const methodOf = (service: keyof RegionServices, name: string) => {
    const method = (grpcMethods(REGION_DEFINITIONS[service]) as Record<string, GrpcMethod<object, object>>)[name];
    if (method === undefined) throw new Error(`no method ${service}.${name}`);
    return method;
  };
  return mapRegionServices(
    (service, name) => callFirst(methodOf(service, name), addresses, region, channels),
    (service, name) => streamFirst(methodOf(service, name), addresses, region, channels),
  );
}

function streamFirst(
  method: GrpcMethod<object, object>,
  addresses: () => readonly string[],
  region: string,
  channels: Channels,
): AnyStream {
  return (request, { signal }) =>
    firstThatStreams(
      addresses(),
      (address) => channels.to(address, region).stream(method, request, signal),
      (cause) => new SteppeError("no-leader", "No known servers answer", { cause }),
    );
}

function callFirst(
  method: GrpcMethod<object, object>,
  addresses: () => readonly string[],
  region: string,
  channels: Channels,
): AnyMethod {
  return async (request: object, call: Call) => {
    let last: unknown;
    for (const address of addresses()) {
      try {
        return await channels.to(address, region).unary(method, request, call);
      } catch (error) {
        if (!(error instanceof TransportFailure)) throw error;
        if (error.reached && "Write" in request) throw unknownOutcome(error);
        last = error;
      }
    }
    throw new SteppeError("no-leader", "No known servers answer", { cause: last });
  };
}

function unknownOutcome(cause: TransportFailure): SteppeError {
  const text =
    "No answer came from the server: the write may or may not have taken effect. " +
    "Sending it again with the same Idempotency-Key is safe.";
  return new SteppeError("outcome-unknown", text, { cause });
}
