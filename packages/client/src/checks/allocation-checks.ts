// The checks of one allocation: asked at their interval while their task runs.
//
// 1. A check is asked for the first time when its task starts; what it answered before that start is forgotten.
// 2. One answer at a time: the next interval begins when the answer is there.
// 3. Failures in a row, once the grace after the start is over, lead to one restart; then they count anew.
import { createHash } from "node:crypto";
import type { Clock } from "@steppe/model";
import type { CheckPlan, RestartOnFailure } from "./check-plan.ts";
import type { Probe } from "./probe.ts";

export interface AllocationChecksParts {
  readonly allocId: string;
  /** `job.group[0]`, as the API names it. */
  readonly allocName: string;
  readonly probe: Probe;
  readonly clock: Clock;
  /** An answer came that differs from the last in what it says of health. */
  readonly changed: () => void;
  /** `task` empty: all of the group. */
  readonly restart: (task: string, reason: string) => void;
}

/** As the API shows it. */
export interface CheckResult {
  readonly ID: string;
  readonly Mode: "healthiness" | "readiness";
  readonly Status: "pending" | "success" | "failure";
  readonly StatusCode?: number;
  readonly Output: string;
  /** Unix seconds. */
  readonly Timestamp: number;
  readonly Group: string;
  readonly Task?: string;
  readonly Service: string;
  readonly Check: string;
}

/** How a check stands that a rollout waits for. */
export interface CheckStanding {
  readonly service: string;
  /** Empty for the group's own. */
  readonly task: string;
  /** Wall time, nanoseconds; undefined while it does not pass. */
  readonly passingSinceNs: number | undefined;
}

const PENDING_OUTPUT = "nomad: waiting to run";

export class AllocationChecks {
  readonly #parts: AllocationChecksParts;
  readonly #watched = new Map<string, Watched>();

  constructor(parts: AllocationChecksParts) {
    this.#parts = parts;
  }

  get isEmpty(): boolean {
    return this.#watched.size === 0;
  }

  /** To be called whenever the job or a task's state changes. */
  follow(plans: readonly CheckPlan[], runs: (task: string) => boolean): void {
    const wanted = new Map(plans.map((plan) => [plan.key, plan]));
    for (const [key, watched] of this.#watched) {
      if (wanted.has(key)) continue;
      watched.pause();
      this.#watched.delete(key);
    }
    for (const [key, plan] of wanted) {
      const watched = this.#watched.get(key) ?? new Watched(plan, this.#parts);
      this.#watched.set(key, watched);
      if (runs(plan.task)) watched.begin();
      else watched.pause();
    }
  }

  results(): Record<string, CheckResult> {
    return Object.fromEntries([...this.#watched.values()].map(({ result }) => [result.ID, result]));
  }

  standing(): CheckStanding[] {
    const waitedFor = [...this.#watched.values()].filter(({ plan }) => plan.mode === "healthiness");
    return waitedFor.map(({ plan: { service, task }, passingSinceNs }) => ({ service, task, passingSinceNs }));
  }

  close(): void {
    for (const watched of this.#watched.values()) watched.pause();
  }
}

class Watched {
  readonly plan: CheckPlan;
  readonly #parts: AllocationChecksParts;
  readonly #id: string;
  result: CheckResult;
  passingSinceNs: number | undefined;
  #asking: AbortController | undefined;

  constructor(plan: CheckPlan, parts: AllocationChecksParts) {
    this.plan = plan;
    this.#parts = parts;
    this.#id = createHash("sha256").update(`${parts.allocId} ${plan.key}`).digest("hex").slice(0, 32);
    this.result = this.#told("pending", PENDING_OUTPUT, 0);
  }

  begin(): void {
    if (this.#asking !== undefined) return;
    this.#asking = new AbortController();
    void this.#ask(this.#asking.signal);
  }

  pause(): void {
    if (this.#asking === undefined) return;
    this.#asking.abort();
    this.#asking = undefined;
    this.passingSinceNs = undefined;
    this.result = this.#told("pending", PENDING_OUTPUT, 0);
  }

  /** Never rejects. */
  async #ask(signal: AbortSignal): Promise<void> {
    const { clock, probe } = this.#parts;
    const { question, timeoutMs, intervalMs, restart } = this.plan;
    const beganMs = clock.monotonicMs();
    for (let failures = 0; !signal.aborted; ) {
      const answer = await probe(question, timeoutMs, signal);
      if (signal.aborted) return;
      const counts = restart !== undefined && clock.monotonicMs() - beganMs >= restart.graceMs;
      failures = answer.ok || !counts ? 0 : failures + 1;
      this.#tell(answer.ok, answer.output, answer.statusCode);
      if (restart !== undefined && failures >= restart.limit) {
        failures = 0;
        this.#restart(restart);
      }
      await clock.after(intervalMs, signal).catch(() => undefined);
    }
  }

  #tell(ok: boolean, output: string, statusCode: number): void {
    const before = this.passingSinceNs;
    this.passingSinceNs = ok ? (before ?? this.#parts.clock.wallNs()) : undefined;
    this.result = this.#told(ok ? "success" : "failure", output, statusCode);
    if (this.passingSinceNs !== before) this.#parts.changed();
  }

  #restart({ task }: RestartOnFailure): void {
    this.#parts.restart(task, `healthcheck: check ${JSON.stringify(this.plan.check)} unhealthy`);
  }

  #told(Status: CheckResult["Status"], Output: string, statusCode: number): CheckResult {
    const { mode, task, service, check } = this.plan;
    return {
      ...{ ID: this.#id, Mode: mode, Status, Output, Timestamp: Math.floor(this.#parts.clock.wallNs() / 1e9) },
      ...(statusCode !== 0 && { StatusCode: statusCode }),
      ...(task !== "" && { Task: task }),
      ...{ Group: this.#parts.allocName, Service: service, Check: check },
    };
  }
}
