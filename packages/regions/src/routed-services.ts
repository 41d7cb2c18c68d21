import { queryOf } from "./blocking.ts";
import type { Router } from "./forward-client.ts";
import { type AnyMethod, type AnyStream, mapRegionServices, type RegionServices } from "./region-services.ts";

interface Target {
  readonly Region: string;
  readonly Forwarded: boolean;
}

/**
 * Services that send each request to the region it names: what a gRPC server offers, so that a
 * client of it may ask for any region, while a forwarded request is answered here or refused.
 */
export function routedServices(router: Router): RegionServices {
  const found = <Method>(service: keyof RegionServices, name: string, request: object) => {
    const target = targetOf(request);
    const services = router.route(target?.Region ?? "", target?.Forwarded ?? false);
    return (services[service] as unknown as Record<string, Method>)[name] as Method;
  };
  return mapRegionServices(
    (service, name) => (request, call) => found<AnyMethod>(service, name, request)(request, call),
    (service, name) => (request, call) => found<AnyStream>(service, name, request)(request, call),
  );
}

function targetOf(request: object): Target | undefined {
  if ("Write" in request) return (request as { Write?: Target }).Write;
  return "Query" in request ? queryOf(request) : (request as Target);
}
