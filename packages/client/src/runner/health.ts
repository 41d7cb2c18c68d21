// Whether an allocation counts as healthy in a rollout. Pure; once decided it stays.
import { formatDuration } from "@steppe/model";
import type { TaskGroup, TaskState } from "@steppe/proto";
import type { CheckStanding } from "../checks/allocation-checks.ts";

export interface HealthRules {
  readonly minHealthyMs: number;
  readonly deadlineMs: number;
  /** Whether checks of its services have to pass, too. */
  readonly usesChecks: boolean;
}

export type Health =
  | { readonly kind: "healthy" }
  | { readonly kind: "unhealthy" }
  /** Not known yet; look again after this long, or when a task or a check changes. */
  | { readonly kind: "wait"; readonly ms: number };

const MIN_HEALTHY_NS = 10e9;
const DEADLINE_NS = 5 * 60e9;

/**
 * In a deployment its `update` block tells, outside of one `migrate`: a drain waits for what comes in the place of what it
 * stops. Undefined when nobody waits for this group, or a person decides about its health.
 */
export function healthRules(jobType: string, group: TaskGroup, inDeployment: boolean): HealthRules | undefined {
  const rules = inDeployment ? group.Update : (group.Migrate ?? group.Update);
  if (jobType !== "service" || rules === undefined || rules.HealthCheck === "manual") return undefined;
  return {
    minHealthyMs: (rules.MinHealthyTime ?? MIN_HEALTHY_NS) / 1e6,
    deadlineMs: (rules.HealthyDeadline ?? DEADLINE_NS) / 1e6,
    usesChecks: rules.HealthCheck !== "task_states",
  };
}

/** `sinceMs` is of the monotonic clock; tasks' starts and checks' passing are of the wall clock. */
export function decideHealth(
  rules: HealthRules,
  group: TaskGroup,
  states: ReadonlyMap<string, TaskState>,
  checks: readonly CheckStanding[],
  sinceMs: number,
  now: { readonly monotonicMs: number; readonly wallNs: number },
): Health {
  const all = [...states.values()];
  if (all.some((task) => task.State === "dead" && task.Failed)) return { kind: "unhealthy" };
  const leftMs = sinceMs + rules.deadlineMs - now.monotonicMs;
  const lasting = group.Tasks.filter((task) => isLasting(task.Lifecycle)).map((task) => states.get(task.Name));
  if (lasting.some((task) => task?.State === "dead")) return { kind: "unhealthy" };
  const passing = rules.usesChecks ? checks.map((check) => check.passingSinceNs) : [];
  if (lasting.every((task) => task?.State === "running") && !passing.includes(undefined)) {
    const starts = lasting.map((task) => task?.StartedAt ?? 0);
    const wellSinceNs = Math.max(...starts, ...passing.map((sinceNs) => sinceNs ?? 0));
    const wellMs = (now.wallNs - wellSinceNs) / 1e6;
    if (wellMs >= rules.minHealthyMs) return { kind: "healthy" };
    if (leftMs > 0) return { kind: "wait", ms: Math.min(rules.minHealthyMs - wellMs, leftMs) };
  }
  return leftMs > 0 ? { kind: "wait", ms: leftMs } : { kind: "unhealthy" };
}

/** What each task is told when the allocation is unhealthy; a task that did well is told nothing. */
export function unhealthyReasons(
  rules: HealthRules,
  group: TaskGroup,
  states: ReadonlyMap<string, TaskState>,
  checks: readonly CheckStanding[],
  wallNs: number,
): Map<string, string> {
  const failing = rules.usesChecks ? checks.filter(({ passingSinceNs }) => passingSinceNs === undefined) : [];
  const lasting = group.Tasks.filter((task) => isLasting(task.Lifecycle));
  const reasons = group.Tasks.map(({ Name }): [string, string] => {
    const state = states.get(Name);
    if (state?.State === "dead" && state.Failed) return [Name, "Unhealthy because of failed task"];
    if (!lasting.some((task) => task.Name === Name)) return [Name, ""];
    const services = failing.filter(({ task }) => task === "" || task === Name).map(({ service }) => service);
    return [Name, reasonOf(rules, state, [...new Set(services)], wallNs)];
  });
  return new Map(reasons.filter(([, reason]) => reason !== ""));
}

function reasonOf(
  rules: HealthRules,
  state: TaskState | undefined,
  failing: readonly string[],
  wallNs: number,
): string {
  const deadline = formatDuration(rules.deadlineMs * 1e6);
  if (state?.State === "dead") return "Unhealthy because of dead task";
  if (state?.State !== "running") return `Task not running by healthy_deadline of ${deadline}`;
  if ((wallNs - state.StartedAt) / 1e6 < rules.minHealthyMs) {
    const least = formatDuration(rules.minHealthyMs * 1e6);
    return `Task not running for min_healthy_time of ${least} by healthy_deadline of ${deadline}`;
  }
  return failing.length === 0 ? "" : `Services not healthy by deadline: ${failing.join(", ")}`;
}

/** Main tasks and sidecars; tasks that run to their end, before or after, do not count. */
function isLasting(lifecycle: { readonly Hook: string; readonly Sidecar: boolean } | undefined): boolean {
  return lifecycle === undefined || lifecycle.Hook === "" || (lifecycle.Hook !== "poststop" && lifecycle.Sidecar);
}
