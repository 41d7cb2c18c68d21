import type { Deployment, Evaluation, Job, Node, NodePool, ServiceRegistration } from "@steppe/proto";
import type { AllocationState } from "./tables/allocations.ts";

export const TABLES = [
  "jobs",
  "summaries",
  "evaluations",
  "allocations",
  "nodes",
  "deployments",
  "operator",
  "namespaces",
  "node-pools",
  "variables",
  "services",
] as const;

export type TableName = (typeof TABLES)[number];

/** Identifies a job in maps and watch keys. Namespaces have no slash, so no two jobs share a key. */
export type JobKey = string;

export function jobKey(namespace: string, jobId: string): JobKey {
  return `${namespace}/${jobId}`;
}

/**
 * What one entry changed: what blocking queries, node streams and leader duties are woken by.
 * Objects are as the entry left them.
 */
export class Changes {
  readonly index: number;
  readonly tables: Set<TableName> = new Set();
  readonly jobs: Set<JobKey> = new Set();
  /** Those of `jobs` that are gone, as they were. */
  readonly removedJobs: Map<JobKey, Job> = new Map();
  readonly summaries: Set<JobKey> = new Set();
  /** By namespace and name. */
  readonly services: Set<string> = new Set();
  /** By ID, those that came or changed. */
  readonly registrations: Map<string, ServiceRegistration> = new Map();
  /** By ID, as they were. */
  readonly removedRegistrations: Map<string, ServiceRegistration> = new Map();
  /** Jobs with a new scaling event. */
  readonly jobScaling: Set<JobKey> = new Set();
  readonly jobAllocations: Set<JobKey> = new Set();
  readonly jobEvaluations: Set<JobKey> = new Set();
  readonly evaluations: Map<string, Evaluation> = new Map();
  readonly jobDeployments: Set<JobKey> = new Set();
  readonly deployments: Map<string, Deployment> = new Map();
  readonly allocations: Set<AllocationState> = new Set();
  readonly removedAllocations: AllocationState[] = [];
  readonly nodes: Set<string> = new Set();
  /** Those of `nodes` that are gone, as they were. */
  readonly removedNodes: Map<string, Node> = new Map();
  /** As they were; not in `evaluations`. */
  readonly removedEvaluations: Map<string, Evaluation> = new Map();
  /** Keys of `variableKey`. */
  readonly variables: Set<string> = new Set();
  readonly namespaces: Set<string> = new Set();
  readonly nodePools: Set<string> = new Set();
  /** Those of `nodePools` that are gone, as they were. */
  readonly removedNodePools: Map<string, NodePool> = new Map();
  /** Nodes for which the server changed an allocation: what their agents must hear. */
  readonly nodeAllocations: Set<string> = new Set();
  /** Computed classes of nodes that gained free capacity or became usable. */
  readonly freedClasses: Set<string> = new Set();
  lease = false;
  schedulerConfiguration = false;

  constructor(index: number) {
    this.index = index;
  }
}

/** Identifies a variable in maps and watch keys. */
export function variableKey(namespace: string, path: string): string {
  return `${namespace}/${path}`;
}
