// What an allocation's deployment is told of its health: once, and again for each deployment that takes it over.
import type { Clock } from "@steppe/model";
import { AllocDeploymentStatus, type Job, type TaskGroup, type TaskState } from "@steppe/proto";
import type { CheckStanding } from "../checks/allocation-checks.ts";
import { decideHealth, healthRules, unhealthyReasons } from "./health.ts";

export interface Judged {
  readonly job: Job;
  readonly group: TaskGroup;
  readonly inDeployment: boolean;
  readonly states: ReadonlyMap<string, TaskState>;
  readonly checks: readonly CheckStanding[];
}

export class HealthJudge {
  readonly #clock: Clock;
  readonly #closing: AbortSignal;
  readonly #lookAgain: () => void;
  readonly #tell: (task: string, reason: string) => void;
  #verdict: AllocDeploymentStatus | undefined;
  /** From when on it is judged. */
  #sinceMs: number;
  #timer: AbortController | undefined;

  /** `tell`: why a task made the allocation unhealthy. */
  constructor(clock: Clock, closing: AbortSignal, lookAgain: () => void, tell: (task: string, reason: string) => void) {
    this.#tell = tell;
    this.#clock = clock;
    this.#closing = closing;
    this.#lookAgain = lookAgain;
    this.#sinceMs = clock.monotonicMs();
  }

  get verdict(): AllocDeploymentStatus | undefined {
    return this.#verdict;
  }

  /** What an earlier life of the agent had told. */
  restore(verdict: AllocDeploymentStatus | undefined): void {
    this.#verdict = verdict;
  }

  /** Another deployment waits to hear. */
  startOver(): void {
    this.#verdict = undefined;
    this.#sinceMs = this.#clock.monotonicMs();
  }

  judge({ job, group, inDeployment, states, checks }: Judged): void {
    const rules = healthRules(job.Type, group, inDeployment);
    if (rules === undefined || this.#verdict?.Healthy !== undefined) return;
    this.#timer?.abort();
    const clock = this.#clock;
    const now = { monotonicMs: clock.monotonicMs(), wallNs: clock.wallNs() };
    const health = decideHealth(rules, group, states, checks, this.#sinceMs, now);
    if (health.kind !== "wait") {
      this.#verdict = AllocDeploymentStatus.create({ Healthy: health.kind === "healthy", Timestamp: now.wallNs });
      if (health.kind === "healthy") return;
      const reasons = unhealthyReasons(rules, group, states, checks, now.wallNs);
      for (const [task, reason] of reasons) this.#tell(task, reason);
      return;
    }
    const timer = new AbortController();
    this.#timer = timer;
    clock.after(health.ms, AbortSignal.any([timer.signal, this.#closing])).then(this.#lookAgain, () => {
      // A task or a check changed, or the allocation ended, first.
    });
  }
}
