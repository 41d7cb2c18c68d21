import type {
  Deployment,
  Evaluation,
  Job,
  Namespace,
  Node,
  NodePool,
  QueryOptions,
  ScalingPolicy,
  ServiceRegistration,
  ServiceStub,
  Variable,
} from "@steppe/proto";
import type { AllocationView, JobView, StateView } from "@steppe/state";
import type { Listing, Order } from "./paging.ts";
import { fullAllocation } from "./stubs.ts";

/** What can be listed: what a filter sees of it, and the order that the API lists it in. */

interface Named {
  readonly Namespace: string;
  readonly ID: string;
}

interface Indexed {
  readonly CreateIndex: number;
  readonly ID: string;
}

const BY_ID: Order<{ readonly ID: string }> = [{ kind: "text", of: (it) => it.ID }];

const BY_NAMESPACE_AND_ID: Order<Named> = [
  { kind: "text", of: (it) => it.Namespace },
  { kind: "text", of: (it) => it.ID },
];

const OLDEST_FIRST: Order<Indexed> = [
  { kind: "number", of: (it) => it.CreateIndex },
  { kind: "text", of: (it) => it.ID },
];

/** Oldest first, and by ID among those of a prefix, as the API does. */
function chronological(query: QueryOptions | undefined): Order<Named & Indexed> {
  return query?.Prefix ? BY_NAMESPACE_AND_ID : OLDEST_FIRST;
}

const BY_NAME: Order<{ readonly Name: string }> = [{ kind: "text", of: (it) => it.Name }];

export const NAMESPACES: Listing<Namespace> = { subject: { message: "Namespace" }, order: BY_NAME };

export const VARIABLES: Listing<Variable> = {
  subject: { message: "Variable" },
  order: [
    { kind: "text", of: (it) => it.Namespace },
    { kind: "text", of: (it) => it.Path },
  ],
};

export const NODE_POOLS: Listing<NodePool> = { subject: { message: "NodePool" }, order: BY_NAME };

const JOBS_BY_NAMESPACE_AND_ID: Order<JobView> = [
  { kind: "text", of: ({ job }) => job.Namespace },
  { kind: "text", of: ({ job }) => job.ID },
];

export const JOBS: Listing<JobView, Job> = {
  subject: { message: "Job" },
  seen: ({ job }) => job,
  order: JOBS_BY_NAMESPACE_AND_ID,
};

/** The statuses of jobs; ascending, as every order. */
export const JOB_STATUSES: Listing<JobView, Job> = {
  ...JOBS,
  order: [{ kind: "number", of: ({ job }) => job.ModifyIndex }, ...JOBS_BY_NAMESPACE_AND_ID],
};

export const NODES: Listing<Node> = { subject: { message: "Node" }, order: BY_ID };

export function evaluationsListing(query: QueryOptions | undefined): Listing<Evaluation> {
  return { subject: { message: "Evaluation" }, order: chronological(query) };
}

export function deploymentsListing(query: QueryOptions | undefined): Listing<Deployment> {
  return { subject: { message: "Deployment" }, order: chronological(query) };
}

export const REGISTRATIONS: Listing<ServiceRegistration> = {
  subject: { message: "ServiceRegistration" },
  order: BY_ID,
};

export const SERVICES: Listing<ServiceStub> = {
  subject: { message: "ServiceStub" },
  order: [
    { kind: "text", of: (it) => it.Namespace },
    { kind: "text", of: (it) => it.ServiceName },
  ],
};

export const SCALING_POLICIES: Listing<ScalingPolicy> = { subject: { message: "ScalingPolicy" }, order: BY_ID };

/** Fields that the state keeps in another form, or not on the allocation itself. */
const DERIVED = [
  "NodeName",
  "Resources",
  "SharedResources",
  "TaskResources",
  "AllocatedResources",
  "Metrics",
  "DesiredTransition",
  "AllocStates",
  "SigningKeyID",
] as const;

export function allocationsListing(view: StateView, query: QueryOptions | undefined): Listing<AllocationView> {
  const fields = Object.fromEntries(
    DERIVED.map((name) => [name, (allocation: AllocationView) => fullAllocation(view, allocation)[name]] as const),
  );
  return { subject: { message: "Allocation", fields }, order: chronological(query) };
}
