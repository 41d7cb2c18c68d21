// Whether a task that ended, or did not start, is started again. Pure: time and chance are arguments.
import { formatDuration } from "@steppe/model";
import type { RestartPolicy, TaskLifecycle } from "@steppe/proto";

export interface RestartRules {
  /** Restarts within one interval; 0 = none ever. */
  readonly attempts: number;
  /** Nanoseconds. */
  readonly intervalNs: number;
  /** Nanoseconds before a restart. */
  readonly delayNs: number;
  /** What follows when the attempts of an interval are used up: the task fails, or waits for the next interval. */
  readonly mode: "fail" | "delay";
  /** Also after an exit with success. */
  readonly onSuccess: boolean;
}

/** Kept from one end to the next. */
export interface RestartHistory {
  /** Ends within the current interval. */
  readonly count: number;
  /** Wall time, nanoseconds: histories outlive the process. */
  readonly intervalStartNs: number;
}

export type TaskEnd =
  | { readonly kind: "exit"; readonly successful: boolean }
  | { readonly kind: "start-error"; readonly recoverable: boolean };

export type RestartDecision =
  | { readonly kind: "complete"; readonly reason: string }
  | { readonly kind: "fail"; readonly reason: string }
  | { readonly kind: "restart"; readonly reason: string; readonly delayMs: number };

export const WITHIN_POLICY = "Restart within policy";

/** Share of the delay that is added at random, so that tasks which fail together do not restart together. */
const JITTER = 0.25;

const DEFAULTS = {
  service: { attempts: 2, intervalNs: 30 * 60e9 },
  batch: { attempts: 3, intervalNs: 24 * 3600e9 },
} as const;
const DEFAULT_DELAY_NS = 15e9;

/** The task's policy over its group's over the defaults of the job's type. */
export function restartRules(
  jobType: string,
  group: RestartPolicy | undefined,
  task: RestartPolicy | undefined,
  lifecycle: TaskLifecycle | undefined,
): RestartRules {
  const runsToCompletion = jobType === "batch" || jobType === "sysbatch";
  const defaults = runsToCompletion ? DEFAULTS.batch : DEFAULTS.service;
  const mode = task?.Mode ?? group?.Mode;
  return {
    attempts: task?.Attempts ?? group?.Attempts ?? defaults.attempts,
    intervalNs: task?.Interval ?? group?.Interval ?? defaults.intervalNs,
    delayNs: task?.Delay ?? group?.Delay ?? DEFAULT_DELAY_NS,
    mode: mode === "delay" ? "delay" : "fail",
    onSuccess: restartsOnSuccess(runsToCompletion, lifecycle),
  };
}

function restartsOnSuccess(runsToCompletion: boolean, lifecycle: TaskLifecycle | undefined): boolean {
  switch (lifecycle?.Hook) {
    case "prestart":
    case "poststart":
      return lifecycle.Sidecar;
    case "poststop":
      return false;
    default:
      return !runsToCompletion;
  }
}

/** `fraction` is uniform in [0, 1). */
export function decideRestart(
  rules: RestartRules,
  history: RestartHistory,
  end: TaskEnd,
  nowNs: number,
  fraction: number,
): { readonly decision: RestartDecision; readonly history: RestartHistory } {
  const successful = end.kind === "exit" && end.successful;
  if (rules.attempts === 0) {
    const kind = successful && !rules.onSuccess ? "complete" : "fail";
    return { decision: { kind, reason: "Policy allows no restarts" }, history };
  }
  const expired = nowNs > history.intervalStartNs + rules.intervalNs;
  const next = expired
    ? { count: 1, intervalStartNs: nowNs }
    : { count: history.count + 1, intervalStartNs: history.intervalStartNs };
  return { decision: decideWithin(rules, next, end, nowNs, fraction), history: next };
}

function decideWithin(
  rules: RestartRules,
  history: RestartHistory,
  end: TaskEnd,
  nowNs: number,
  fraction: number,
): RestartDecision {
  if (end.kind === "start-error" && !end.recoverable) return { kind: "fail", reason: "Error was unrecoverable" };
  if (end.kind === "exit" && end.successful && !rules.onSuccess) {
    return { kind: "complete", reason: "Restart unnecessary as task terminated successfully" };
  }
  if (history.count <= rules.attempts) {
    const delayNs = rules.delayNs * (1 + fraction * JITTER);
    return { kind: "restart", reason: WITHIN_POLICY, delayMs: delayNs / 1e6 };
  }
  if (rules.mode === "fail") {
    const interval = formatDuration(rules.intervalNs);
    const reason = `Exceeded allowed attempts ${rules.attempts} in interval ${interval} and mode is "fail"`;
    return { kind: "fail", reason };
  }
  const delayNs = Math.max(0, history.intervalStartNs + rules.intervalNs - nowNs);
  return { kind: "restart", reason: "Exceeded allowed attempts, applying a delay", delayMs: delayNs / 1e6 };
}
