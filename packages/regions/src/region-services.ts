import type { Call, RegionServices, Service } from "@steppe/model";
import {
  AllocationsDefinition,
  DeploymentsDefinition,
  EvaluationsDefinition,
  JobsDefinition,
  type MembershipDefinition,
  type NodeAgentsDefinition,
  type NodeAllocations,
  NodesDefinition,
  OperatorDefinition,
  StatusDefinition,
  type WatchAllocationsRequest,
} from "@steppe/proto";

export type { RegionServices } from "@steppe/model";

/** The definition behind each member of `RegionServices`; what serves and what forwards both walk it. */
export const REGION_DEFINITIONS = {
  jobs: JobsDefinition,
  deployments: DeploymentsDefinition,
  evaluations: EvaluationsDefinition,
  allocations: AllocationsDefinition,
  nodes: NodesDefinition,
  operator: OperatorDefinition,
  status: StatusDefinition,
} as const satisfies Record<keyof RegionServices, unknown>;

export type MembershipService = Service<MembershipDefinition>;

/** What a server does for node agents; the watch is a stream that lasts until the call's signal aborts. */
export type NodeAgentsService = Omit<Service<NodeAgentsDefinition>, "watchAllocations"> & {
  watchAllocations(request: WatchAllocationsRequest, call: Call): AsyncIterable<NodeAllocations>;
};

/** A service method whose message types the walker of definitions does not know. */
export type AnyMethod = (request: object, call: Call) => Promise<object>;

/**
 * Makes one `RegionServices` by asking `make` for each method. The only place where the types of
 * the messages are set aside: a method made for a definition gets that definition's messages.
 */
export function mapRegionServices(make: (service: keyof RegionServices, method: string) => AnyMethod): RegionServices {
  const services: Record<string, Record<string, AnyMethod>> = {};
  for (const [service, definition] of Object.entries(REGION_DEFINITIONS)) {
    const methods: Record<string, AnyMethod> = {};
    for (const method of Object.keys(definition.methods)) {
      methods[method] = make(service as keyof RegionServices, method);
    }
    services[service] = methods;
  }
  return services as unknown as RegionServices;
}
