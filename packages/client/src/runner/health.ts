// Whether an allocation counts as healthy in a rollout. Pure; once decided it stays.
import type { TaskGroup, TaskState } from "@steppe/proto";

export interface HealthRules {
  readonly minHealthyMs: number;
  readonly deadlineMs: number;
}

export type Health =
  | { readonly kind: "healthy" }
  | { readonly kind: "unhealthy" }
  /** Not known yet; look again after this long, or when a task changes. */
  | { readonly kind: "wait"; readonly ms: number };

const MIN_HEALTHY_NS = 10e9;
const DEADLINE_NS = 5 * 60e9;

/** Undefined when nobody rolls this group out, or a person decides about its health. */
export function healthRules(jobType: string, group: TaskGroup): HealthRules | undefined {
  const update = group.Update;
  if (jobType !== "service" || update === undefined || update.HealthCheck === "manual") return undefined;
  return {
    minHealthyMs: (update.MinHealthyTime ?? MIN_HEALTHY_NS) / 1e6,
    deadlineMs: (update.HealthyDeadline ?? DEADLINE_NS) / 1e6,
  };
}

/** `sinceMs` and `nowMs` are of the same clock; `startedNs` and `nowNs` of the wall clock. */
export function decideHealth(
  rules: HealthRules,
  group: TaskGroup,
  states: ReadonlyMap<string, TaskState>,
  sinceMs: number,
  nowMs: number,
  nowNs: number,
): Health {
  const all = [...states.values()];
  if (all.some((task) => task.State === "dead" && task.Failed)) return { kind: "unhealthy" };
  const leftMs = sinceMs + rules.deadlineMs - nowMs;
  const lasting = group.Tasks.filter((task) => isLasting(task.Lifecycle)).map((task) => states.get(task.Name));
  if (lasting.some((task) => task?.State === "dead")) return { kind: "unhealthy" };
  if (lasting.every((task) => task?.State === "running")) {
    const newestNs = Math.max(...lasting.map((task) => task?.StartedAt ?? 0));
    const upMs = (nowNs - newestNs) / 1e6;
    if (upMs >= rules.minHealthyMs) return { kind: "healthy" };
    if (leftMs > 0) return { kind: "wait", ms: Math.min(rules.minHealthyMs - upMs, leftMs) };
  }
  return leftMs > 0 ? { kind: "wait", ms: leftMs } : { kind: "unhealthy" };
}

/** Main tasks and sidecars; tasks that run to their end, before or after, do not count. */
function isLasting(lifecycle: { readonly Hook: string; readonly Sidecar: boolean } | undefined): boolean {
  return lifecycle === undefined || lifecycle.Hook === "" || (lifecycle.Hook !== "poststop" && lifecycle.Sidecar);
}
