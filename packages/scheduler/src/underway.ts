import type { Placements, Plan } from "@steppe/proto";
import { type Ask, askOf, groupOf, type JobView, type NodeColumns, type StateView } from "@steppe/state";
import type { Room } from "./room.ts";

/** So many allocations alike, on one node. */
interface Share {
  readonly nodeId: string;
  readonly ask: Ask;
  count: number;
}

/**
 * What plans that are on their way will take, should they be applied whole. A pass that counts it as taken does not
 * meet them; what they stop or evict is not counted as free. Of ports, devices and cores nothing is said.
 */
export class Underway {
  readonly #view: Pick<StateView, "jobs">;
  readonly #plans: Map<Plan, readonly Share[]> = new Map();

  constructor(view: Pick<StateView, "jobs">) {
    this.#view = view;
  }

  /** Nothing is on its way to any node. */
  get isEmpty(): boolean {
    return this.#plans.size === 0;
  }

  add(plan: Plan): void {
    const job = this.#view.jobs.get(plan.Namespace, plan.JobID);
    if (plan.Placements.length === 0 || job === undefined) return;
    const shares = plan.Placements.flatMap((placements) => sharesOf(placements, job));
    this.#plans.set(plan, shares);
  }

  /** It was applied or refused, or nobody can tell. */
  remove(plan: Plan): void {
    this.#plans.delete(plan);
  }

  takeFrom(room: Room, nodes: Pick<NodeColumns, "slot">): void {
    for (const shares of this.#plans.values()) {
      for (const { nodeId, ask, count } of shares) room.take(nodes.slot(nodeId), ask, count);
    }
  }
}

function sharesOf({ TaskGroup, JobVersion, NodeIDs, Nodes }: Placements, job: JobView): Share[] {
  const version = JobVersion === undefined ? job.job : job.version(JobVersion);
  const group = version && groupOf(version, TaskGroup);
  if (group === undefined) return [];
  const shares = NodeIDs.map((nodeId): Share => ({ nodeId, ask: askOf(group), count: 0 }));
  for (const node of Nodes) {
    const share = shares[node];
    if (share !== undefined) share.count += 1;
  }
  return shares;
}
