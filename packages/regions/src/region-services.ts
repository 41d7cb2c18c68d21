import type { Call, RegionServices, Service } from "@steppe/model";
import {
  AllocationsDefinition,
  DeploymentsDefinition,
  EvaluationsDefinition,
  EventsDefinition,
  JobsDefinition,
  type MembershipDefinition,
  type NodeAgentsDefinition,
  NodesDefinition,
  OperatorDefinition,
  StatusDefinition,
} from "@steppe/proto";

export type { RegionServices } from "@steppe/model";

/** The definition behind each member of `RegionServices`; what serves and what forwards both walk it. */
export const REGION_DEFINITIONS = {
  jobs: JobsDefinition,
  deployments: DeploymentsDefinition,
  evaluations: EvaluationsDefinition,
  events: EventsDefinition,
  allocations: AllocationsDefinition,
  nodes: NodesDefinition,
  operator: OperatorDefinition,
  status: StatusDefinition,
} as const satisfies Record<keyof RegionServices, unknown>;

export type MembershipService = Service<MembershipDefinition>;

/** What a server does for node agents. */
export type NodeAgentsService = Service<NodeAgentsDefinition>;

/** Service methods whose message types the walker of definitions does not know. */
export type AnyMethod = (request: object, call: Call) => Promise<object>;
export type AnyStream = (request: object, call: Call) => AsyncIterable<object>;

/**
 * Makes one `RegionServices` by asking `unary` or `stream` for each method. The only place where the types of
 * the messages are set aside: a method made for a definition gets that definition's messages.
 */
export function mapRegionServices(
  unary: (service: keyof RegionServices, method: string) => AnyMethod,
  stream: (service: keyof RegionServices, method: string) => AnyStream,
): RegionServices {
  const services: Record<string, Record<string, AnyMethod | AnyStream>> = {};
  for (const [service, { methods }] of Object.entries(REGION_DEFINITIONS)) {
    const made: Record<string, AnyMethod | AnyStream> = {};
    for (const [method, { responseStream }] of Object.entries(methods)) {
      made[method] = (responseStream ? stream : unary)(service as keyof RegionServices, method);
    }
    services[service] = made;
  }
  return services as unknown as RegionServices;
}
