import type { DrainStrategy, Node } from "@steppe/proto";
import { type AllocationView, groupOf, type JobView, type StateView } from "@steppe/state";

type View = Pick<StateView, "nodes" | "jobs">;

/** What is to be done now about the nodes that drain. */
export interface DrainMoves {
  /** Allocations to be marked: they are to leave their nodes. */
  readonly migrate: readonly string[];
  /** Nodes with nothing left on them that their drain was to move. */
  readonly completed: readonly string[];
  /** The next deadline, unix nanoseconds; never, when there is none. */
  readonly nextDeadlineNs: number;
}

/** Deadlines so close to one that has come are taken together with it, nanoseconds. */
export const DEADLINE_WINDOW_NS = 5e9;

/** A node that drains, and what of it is left. */
interface Draining {
  readonly node: Node;
  readonly strategy: DrainStrategy;
  /** Not ended as far as the node has told; without system jobs where those are to be ignored. */
  readonly left: readonly AllocationView[];
  readonly isOver: boolean;
}

/**
 * The pace of drains. Each service group keeps `count - migrate.max_parallel` healthy allocations:
 * as replacements become healthy, the next leave. Batch allocations run on until the deadline.
 * System jobs leave a node last, when it has nothing else. At the deadline all that is left goes.
 */
export function decideDrains(view: View, nodeIds: Iterable<string>, nowNs: number): DrainMoves {
  const draining = drainingNodes(view, nodeIds, nowNs);
  const migrate = new Set<AllocationView>();
  for (const it of draining) for (const allocation of leavingAtOnce(it)) migrate.add(allocation);
  for (const [job, groups] of pacedGroups(view, draining)) {
    for (const [group, candidates] of groups) {
      for (const allocation of nextOf(job, group, candidates, migrate)) migrate.add(allocation);
    }
  }
  const deadlines = draining.filter(({ isOver }) => !isOver).map(({ strategy }) => strategy.ForceDeadline);
  return {
    migrate: [...migrate].map(({ ID }) => ID).sort(),
    completed: draining.filter(({ left }) => left.length === 0).map(({ node }) => node.ID),
    nextDeadlineNs: Math.min(Number.POSITIVE_INFINITY, ...deadlines.filter((at) => at > 0)),
  };
}

function drainingNodes(view: View, nodeIds: Iterable<string>, nowNs: number): Draining[] {
  const nodes = [...nodeIds].map((id) => view.nodes.get(id)).filter((node) => node?.DrainStrategy !== undefined);
  const deadlineNs = nodes.some((node) => isDue(node, nowNs)) ? nowNs + DEADLINE_WINDOW_NS : nowNs;
  return nodes.map((it) => {
    const node = it as Node;
    const strategy = node.DrainStrategy as DrainStrategy;
    const left = [...view.nodes.allocationsOf(node.ID)].filter(
      (allocation) => !hasEnded(allocation, node) && !(strategy.IgnoreSystemJobs && isSystem(allocation)),
    );
    return { node, strategy, left, isOver: strategy.Deadline < 0 || isDue(node, deadlineNs) };
  });
}

function isDue(node: Node | undefined, nowNs: number): boolean {
  const at = node?.DrainStrategy?.ForceDeadline ?? 0;
  return at > 0 && at <= nowNs;
}

/** A node that is down tells nothing more: there the servers' word is enough. */
function hasEnded(allocation: AllocationView, node: Node): boolean {
  return allocation.clientTerminal || (allocation.terminal && node.Status !== "ready");
}

function isSystem({ Job }: AllocationView): boolean {
  return Job.Type === "system" || Job.Type === "sysbatch";
}

const isMovable = ({ terminal, Migrate }: AllocationView): boolean => !terminal && !Migrate;

/** At the deadline everything; and system jobs, once a node has nothing else. */
function leavingAtOnce({ left, isOver }: Draining): AllocationView[] {
  return isOver || left.every(isSystem) ? left.filter(isMovable) : [];
}

/** Allocations of service jobs on draining nodes before their deadline, by job and group. */
function pacedGroups(view: View, draining: readonly Draining[]): Map<JobView, Map<string, AllocationView[]>> {
  const jobs = new Map<JobView, Map<string, AllocationView[]>>();
  for (const { left, isOver } of draining) {
    for (const allocation of isOver ? [] : left) {
      const job = view.jobs.get(allocation.Namespace, allocation.JobID);
      if (job === undefined || allocation.Job.Type !== "service" || !isMovable(allocation)) continue;
      const groups = jobs.get(job) ?? new Map<string, AllocationView[]>();
      jobs.set(job, groups);
      groups.set(allocation.TaskGroup, [...(groups.get(allocation.TaskGroup) ?? []), allocation]);
    }
  }
  return jobs;
}

/**
 * Which of a group leave now. What is not healthy keeps nothing up, so it may go at once; one of
 * which nobody knows yet is waited for, since its node tells soon.
 */
function nextOf(
  { job, allocations }: JobView,
  name: string,
  candidates: readonly AllocationView[],
  leaving: ReadonlySet<AllocationView>,
): AllocationView[] {
  const group = groupOf(job, name);
  // The scheduler stops those of a group that is gone.
  if (group === undefined || job.Stop) return [];
  let healthy = 0;
  for (const it of allocations) {
    if (it.TaskGroup === name && isMovable(it) && !leaving.has(it) && healthOf(it) === true) healthy += 1;
  }
  const most = healthy - ((group.Count ?? 1) - (group.Migrate?.MaxParallel ?? 1));
  const sorted = [...candidates].sort((a, b) => a.NameIndex - b.NameIndex);
  const unhealthy = sorted.filter((it) => healthOf(it) === false);
  return [...unhealthy, ...sorted.filter((it) => healthOf(it) === true).slice(0, Math.max(0, most))];
}

/** As its node judged. Where nobody is to judge, what runs is healthy. Undefined: not known yet. */
function healthOf(allocation: AllocationView): boolean | undefined {
  const update = groupOf(allocation.Job, allocation.TaskGroup)?.Update;
  const isJudged = update !== undefined && update.HealthCheck !== "manual";
  if (allocation.ClientStatus === "unknown") return false;
  if (allocation.DeploymentStatus?.Healthy !== undefined) return allocation.DeploymentStatus.Healthy;
  return isJudged || allocation.ClientStatus !== "running" ? undefined : true;
}
