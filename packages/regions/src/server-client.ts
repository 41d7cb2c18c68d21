import { type Call, SteppeError } from "@steppe/model";
import type { Channels } from "./channels.ts";
import { type GrpcMethod, grpcMethods } from "./grpc-definition.ts";
import { type AnyMethod, mapRegionServices, REGION_DEFINITIONS, type RegionServices } from "./region-services.ts";
import { TransportFailure } from "./transport-failure.ts";

/**
 * Services done by whichever of these servers answers: how an agent that is no server itself
 * serves requests. The region that a request names is the server's to find. A write goes to
 * another server only when the first cannot have had it.
 */
export function createServerClient(addresses: () => readonly string[], channels: Channels): RegionServices {
  return mapRegionServices((service, name) => {
    const methods = grpcMethods(REGION_DEFINITIONS[service]) as Record<string, GrpcMethod<object, object>>;
    const method = methods[name];
    if (method === undefined) throw new Error(`no method ${service}.${name}`);
    return callFirst(method, addresses, channels);
  });
}

function callFirst(
  method: GrpcMethod<object, object>,
  addresses: () => readonly string[],
  channels: Channels,
): AnyMethod {
  return async (request: object, call: Call) => {
    let last: unknown;
    for (const address of addresses()) {
      try {
        return await channels.to(address).unary(method, request, call);
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
