import type { Call, RegionServices, Service } from "@steppe/model";
import {
  AllocationsDefinition,
  ClientCallsDefinition,
  DeploymentsDefinition,
  EvaluationsDefinition,
  EventsDefinition,
  JobsDefinition,
  type MemberList,
  type MembershipDefinition,
  NamespacesDefinition,
  type NodeAgentsDefinition,
  NodePoolsDefinition,
  NodesDefinition,
  OperatorDefinition,
  ScalingDefinition,
  SearchDefinition,
  ServerCallsDefinition,
  ServiceRegistrationsDefinition,
  StatusDefinition,
  SystemDefinition,
  VariablesDefinition,
} from "@steppe/proto";
import type { CertificateName } from "./certificate-names.ts";

export type { RegionServices } from "@steppe/model";

/** The definition behind each member of `RegionServices`; what serves and what forwards both walk it. */
export const REGION_DEFINITIONS = {
  jobs: JobsDefinition,
  deployments: DeploymentsDefinition,
  evaluations: EvaluationsDefinition,
  events: EventsDefinition,
  allocations: AllocationsDefinition,
  nodes: NodesDefinition,
  namespaces: NamespacesDefinition,
  nodePools: NodePoolsDefinition,
  system: SystemDefinition,
  variables: VariablesDefinition,
  search: SearchDefinition,
  clientCalls: ClientCallsDefinition,
  serverCalls: ServerCallsDefinition,
  operator: OperatorDefinition,
  scaling: ScalingDefinition,
  services: ServiceRegistrationsDefinition,
  status: StatusDefinition,
} as const satisfies Record<keyof RegionServices, unknown>;

/** Also tells who calls: names in the caller's certificate; undefined without TLS. */
export interface PeerCall extends Call {
  readonly names?: readonly CertificateName[] | undefined;
}

export interface MembershipService {
  exchange(request: MemberList, call: PeerCall): ReturnType<Service<MembershipDefinition>["exchange"]>;
  held: Service<MembershipDefinition>["held"];
}

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
