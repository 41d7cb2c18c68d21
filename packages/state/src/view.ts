import type {
  AutopilotConfiguration,
  Evaluation,
  Job,
  JobSubmission,
  JobSummary,
  Lease,
  Namespace,
  Node,
  NodePool,
  OwedCopies,
  ScalingEvent,
  SchedulerConfiguration,
  ServiceRegistration,
  Variable,
} from "@steppe/proto";
import type { JobKey, TableName } from "./changes.ts";
import type { AllocationState, Ask } from "./tables/allocations.ts";
import type { DeploymentEntry, JobDeployments } from "./tables/deployments.ts";
import type { JobEvaluations } from "./tables/evaluations.ts";
import type { HoldingsView } from "./tables/holdings-overlay.ts";
import type { NameCounts } from "./tables/name-counts.ts";
import type { DynamicRange, NodeNetworks } from "./tables/node-networks.ts";
import type { ServiceKey } from "./tables/services.ts";

/**
 * What the scheduler, the services and the leader's duties see of the state: everything, and no way
 * to change it. A view is live: it moves on with the next applied entry, so nothing read from it
 * may be kept across an await.
 */
export interface StateView {
  readonly index: number;
  /** Log time, unix nanoseconds. */
  readonly time: number;
  readonly lease: Readonly<Lease> | undefined;
  readonly schedulerConfiguration: Readonly<SchedulerConfiguration>;
  readonly autopilotConfiguration: Readonly<AutopilotConfiguration>;
  readonly indexes: { changedAt(table: TableName): number; deletedAt(table: TableName): number };
  readonly jobs: {
    readonly byKey: ReadonlyMap<JobKey, JobView>;
    readonly system: ReadonlySet<JobView>;
    readonly periodic: ReadonlySet<JobView>;
    get(namespace: string, id: string): JobView | undefined;
  };
  readonly evaluations: {
    readonly byId: ReadonlyMap<string, Evaluation>;
    readonly byJob: ReadonlyMap<JobKey, Readonly<JobEvaluations>>;
    get(id: string): Evaluation | undefined;
    ofJob(namespace: string, jobId: string): Readonly<JobEvaluations> | undefined;
  };
  readonly allocations: {
    readonly byId: ReadonlyMap<string, AllocationView>;
    get(id: string): AllocationView | undefined;
  };
  readonly deployments: {
    readonly byId: ReadonlyMap<string, DeploymentView>;
    get(id: string): DeploymentView | undefined;
    ofJob(namespace: string, jobId: string): JobDeploymentsView | undefined;
    /** The newest one of a job. */
    latest(namespace: string, jobId: string): DeploymentView | undefined;
  };
  readonly services: {
    readonly byId: ReadonlyMap<string, ServiceRegistration>;
    readonly byService: ReadonlyMap<ServiceKey, ReadonlyMap<string, ServiceRegistration>>;
    readonly byAllocation: ReadonlyMap<string, ReadonlyMap<string, ServiceRegistration>>;
    /** By service: the index at which a registration of it last came, changed or went. */
    readonly changedAt: ReadonlyMap<ServiceKey, number>;
  };
  readonly owed: {
    readonly byJob: ReadonlyMap<JobKey, OwedCopies>;
    get(namespace: string, jobId: string): OwedCopies | undefined;
  };
  readonly nodes: NodeColumns;
  readonly namespaces: { readonly byName: ReadonlyMap<string, Namespace>; get(name: string): Namespace | undefined };
  readonly variables: {
    readonly byKey: ReadonlyMap<string, Variable>;
    /** Those that somebody holds. */
    readonly locked: ReadonlyMap<string, Variable>;
    get(namespace: string, path: string): Variable | undefined;
  };
  readonly nodePools: { readonly byName: ReadonlyMap<string, NodePool>; get(name: string): NodePool | undefined };
}

export type DeploymentView = Readonly<Omit<DeploymentEntry, "allocations" | "add" | "delete">> & {
  readonly allocations: ReadonlySet<AllocationView>;
};

export type JobDeploymentsView = Readonly<Omit<JobDeployments, "entries">> & {
  readonly entries: ReadonlySet<DeploymentView>;
};

export interface JobView {
  readonly key: JobKey;
  readonly job: Job;
  readonly versions: readonly Job[];
  readonly allocations: ReadonlySet<AllocationView>;
  readonly names: ReadonlyMap<string, Pick<NameCounts, "get">>;
  readonly children: ReadonlySet<JobKey>;
  readonly summary: Readonly<JobSummary>;
  readonly submissions: readonly JobSubmission[];
  readonly scalingEvents: ReadonlyMap<string, readonly ScalingEvent[]>;
  readonly scalingIndex: number;
  readonly allocationsIndex: number;
  readonly lastLaunch: number;
  readonly liveAllocations: number;
  readonly rollout: number;
  readonly rolloutVersion: number;
  version(version: number): Job | undefined;
}

export type AllocationView = Omit<Readonly<AllocationState>, "amend" | "claim" | "report" | "fare" | "modifiedAt">;

/** Nodes as columns; see `NodeTable`. Slots below `length`; `nodes[slot]` is undefined where none is. */
export interface NodeColumns {
  readonly revision: object;
  readonly length: number;
  readonly size: number;
  readonly slotOf: ReadonlyMap<string, number>;
  readonly nodes: readonly (Node | undefined)[];
  readonly ids: readonly string[];
  readonly allocations: readonly ReadonlySet<AllocationView>[];
  readonly cpu: Readonly<Float64Array>;
  readonly memory: Readonly<Float64Array>;
  readonly disk: Readonly<Float64Array>;
  readonly coreMhz: Readonly<Float64Array>;
  readonly cores: readonly (readonly number[])[];
  readonly usedCpu: Readonly<Float64Array>;
  readonly usedMemory: Readonly<Float64Array>;
  readonly usedDisk: Readonly<Float64Array>;
  readonly usable: Readonly<Uint8Array>;
  readonly networks: readonly (NodeNetworks | undefined)[];
  readonly holdings: readonly (HoldingsView | undefined)[];
  readonly dynamicRanges: readonly (DynamicRange | undefined)[];
  readonly dynamicPorts: Readonly<Int32Array>;
  readonly portsHeld: Readonly<Int32Array>;
  readonly classOf: Readonly<Int32Array>;
  readonly classes: readonly string[];
  get(id: string): Node | undefined;
  /** Also of purged nodes. */
  allocationsOf(nodeId: string): ReadonlySet<AllocationView>;
  cpuOf(slot: number, ask: Ask): number;
  /** -1 when there is no such node. */
  slot(id: string): number;
  className(slot: number): string;
}
