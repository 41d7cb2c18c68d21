import { toJson } from "@steppe/model";
import type { Deployment, Entry, Evaluation, Event, Job, Node, NodePool, ServiceRegistration } from "@steppe/proto";
import type { AllocationView, Changes, StateView } from "@steppe/state";
import type { EntryEvents } from "@steppe/watch";
import { fullAllocation, shownEvaluation, shownNode } from "../services/stubs.ts";
import { type EventTopicName, eventTypes } from "./event-types.ts";

/** An allocation as an entry left it, with the node it was on. */
interface AllocationThen {
  readonly allocation: AllocationView;
  readonly node: Node | undefined;
}

/**
 * The events of an entry that was just applied; undefined when there are none. Only notes what changed: the
 * texts are made when somebody reads them. Allocations are copied, as they alone are changed in place.
 */
export function deriveEvents(entry: Entry, changes: Changes, view: StateView): EntryEvents | undefined {
  const size =
    changes.jobs.size +
    changes.evaluations.size +
    changes.allocations.size +
    changes.deployments.size +
    changes.nodes.size +
    changes.nodePools.size +
    changes.registrations.size +
    changes.removedRegistrations.size;
  if (size === 0) return undefined;
  const jobs = found(changes.jobs, (key) => view.jobs.byKey.get(key)?.job ?? changes.removedJobs.get(key));
  const nodes = found(changes.nodes, (id) => view.nodes.get(id) ?? changes.removedNodes.get(id));
  const allocations = [...changes.allocations].map(
    (it): AllocationThen => ({ allocation: it.copy(), node: view.nodes.get(it.NodeID) }),
  );
  const evaluations = [...changes.evaluations.values()];
  const deployments = [...changes.deployments.values()];
  const registrations = [...changes.registrations.values()];
  const removedRegistrations = [...changes.removedRegistrations.values()];
  const pools = found(changes.nodePools, (name) => view.nodePools.get(name) ?? changes.removedNodePools.get(name));
  const isRemoved = new Set(changes.removedNodePools.keys());
  const typeOf = eventTypes(entry.Commands);
  return laterEvents(changes.index, size, typeOf, {
    ...{ jobs, evaluations, allocations, deployments, nodes, pools, isRemoved, registrations, removedRegistrations },
  });
}

interface Changed {
  readonly jobs: readonly Job[];
  readonly evaluations: readonly Evaluation[];
  readonly allocations: readonly AllocationThen[];
  readonly deployments: readonly Deployment[];
  readonly nodes: readonly Node[];
  readonly pools: readonly NodePool[];
  /** Names of pools. */
  readonly isRemoved: ReadonlySet<string>;
  readonly registrations: readonly ServiceRegistration[];
  readonly removedRegistrations: readonly ServiceRegistration[];
}

/** Apart, so that what is kept for readers does not keep all else that is known of an entry. */
function laterEvents(
  index: number,
  size: number,
  typeOf: ReturnType<typeof eventTypes>,
  changed: Changed,
): EntryEvents {
  let made: readonly Event[] | undefined;
  return {
    index,
    size,
    events() {
      made ??= [
        ...changed.jobs.map((job) => jobEvent(index, typeOf("Job"), job)),
        ...changed.evaluations.map((it) => evaluationEvent(index, typeOf("Evaluation"), it)),
        ...changed.allocations.map((it) => allocationEvent(index, typeOf("Allocation"), it)),
        ...changed.deployments.map((it) => deploymentEvent(index, typeOf("Deployment"), it)),
        ...changed.nodes.map((node) => nodeEvent(index, typeOf("Node"), node)),
        ...changed.pools.map((pool) =>
          nodePoolEvent(index, changed.isRemoved.has(pool.Name) ? "NodePoolDeleted" : "NodePoolUpserted", pool),
        ),
        ...changed.registrations.map((it) => serviceEvent(index, "ServiceRegistration", it)),
        ...changed.removedRegistrations.map((it) => serviceEvent(index, "ServiceDeregistration", it)),
      ];
      return made;
    },
  };
}

function found<T>(ids: Iterable<string>, find: (id: string) => T | undefined): T[] {
  return [...ids].map(find).filter((it) => it !== undefined);
}

function event(
  index: number,
  Topic: EventTopicName | "NodePool" | "Service",
  Type: string,
  fields: Omit<Event, "Topic" | "Type" | "Index">,
): Event {
  return { Topic, Type, Index: index, ...fields };
}

function jobEvent(index: number, type: string, job: Job): Event {
  const shown = { ...job, ConsulToken: "", VaultToken: "" };
  return event(index, "Job", type, {
    Key: job.ID,
    Namespace: job.Namespace,
    FilterKeys: [],
    Payload: `{"Job":${toJson("Job", shown)}}`,
  });
}

function evaluationEvent(index: number, type: string, evaluation: Evaluation): Event {
  return event(index, "Evaluation", type, {
    Key: evaluation.ID,
    Namespace: evaluation.Namespace,
    FilterKeys: [evaluation.JobID, evaluation.DeploymentID],
    Payload: `{"Evaluation":${toJson("Evaluation", shownEvaluation(evaluation))}}`,
  });
}

/** Without its job, which would be most of it. */
function allocationEvent(index: number, type: string, { allocation, node }: AllocationThen): Event {
  const full = fullAllocation({ nodes: { get: () => node } }, allocation);
  return event(index, "Allocation", type, {
    Key: allocation.ID,
    Namespace: allocation.Namespace,
    FilterKeys: [allocation.JobID, allocation.DeploymentID],
    Payload: `{"Allocation":${toJson("Allocation", { ...full, Job: undefined })}}`,
  });
}

function deploymentEvent(index: number, type: string, deployment: Deployment): Event {
  return event(index, "Deployment", type, {
    Key: deployment.ID,
    Namespace: deployment.Namespace,
    FilterKeys: [deployment.JobID],
    Payload: `{"Deployment":${toJson("Deployment", deployment)}}`,
  });
}

function nodeEvent(index: number, type: string, node: Node): Event {
  const Payload = `{"Node":${toJson("Node", shownNode(node))}}`;
  return event(index, "Node", type, { Key: node.ID, Namespace: "", FilterKeys: [], Payload });
}

function nodePoolEvent(index: number, type: string, pool: NodePool): Event {
  const Payload = `{"NodePool":${toJson("NodePool", pool)}}`;
  return event(index, "NodePool", type, { Key: pool.Name, Namespace: "", FilterKeys: [], Payload });
}

function serviceEvent(index: number, type: string, registration: ServiceRegistration): Event {
  return event(index, "Service", type, {
    Key: registration.ID,
    Namespace: registration.Namespace,
    FilterKeys: [registration.JobID, registration.ServiceName],
    Payload: `{"Service":${toJson("ServiceRegistration", registration)}}`,
  });
}
