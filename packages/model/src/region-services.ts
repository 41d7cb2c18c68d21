import type {
  AllocationsDefinition,
  ClientCallsDefinition,
  DeploymentsDefinition,
  EvaluationsDefinition,
  EventsDefinition,
  JobsDefinition,
  NamespacesDefinition,
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
import type { Service } from "./service.ts";

/** What a region is to a handler: its services, done here or by a server of that region. */
export interface RegionServices {
  readonly jobs: Service<JobsDefinition>;
  readonly deployments: Service<DeploymentsDefinition>;
  readonly evaluations: Service<EvaluationsDefinition>;
  readonly events: Service<EventsDefinition>;
  readonly allocations: Service<AllocationsDefinition>;
  readonly nodes: Service<NodesDefinition>;
  readonly namespaces: Service<NamespacesDefinition>;
  readonly nodePools: Service<NodePoolsDefinition>;
  readonly system: Service<SystemDefinition>;
  readonly variables: Service<VariablesDefinition>;
  readonly search: Service<SearchDefinition>;
  readonly clientCalls: Service<ClientCallsDefinition>;
  readonly serverCalls: Service<ServerCallsDefinition>;
  readonly operator: Service<OperatorDefinition>;
  readonly scaling: Service<ScalingDefinition>;
  readonly services: Service<ServiceRegistrationsDefinition>;
  readonly status: Service<StatusDefinition>;
}
