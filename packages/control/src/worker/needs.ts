import type { Clock, Logger, Random } from "@steppe/model";
import type { Evaluation, Plan } from "@steppe/proto";
import type { StateView } from "@steppe/state";
import type { Bus } from "../bus.ts";
import type { OnApplied, Propose, WaitFor } from "../region-log.ts";

export interface WorkerNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly bus: Pick<Bus, "request" | "publish">;
  readonly view: Pick<StateView, "index" | "lease" | "jobs" | "evaluations">;
  /** Writes plans, and nothing else. */
  readonly propose: Propose;
  readonly onApplied: OnApplied;
  readonly waitFor: WaitFor;
  /**
   * Decides on the own replica as it stands. Synchronous: the state does not move under it. Its
   * plan ends the evaluation.
   */
  readonly schedule: (evaluation: Evaluation) => Plan;
  /** Whether clients of this process wait for answers, which come before what nobody waits for. Absent: none ever do. */
  readonly givesWay?: () => boolean;
  /** What `schedule` counts as taken beside what the state shows. Absent: nothing. */
  readonly underway?: PlansUnderway;
  /** Cuts a plan into parts that each fit into a log entry; only the last one has its Result. */
  readonly splitPlan: (plan: Plan) => readonly Plan[];
}

/** Plans that were made and of which it is not known yet what became of them. */
export interface PlansUnderway {
  /** None of them places anything. */
  readonly isEmpty: boolean;
  add(plan: Plan): void;
  remove(plan: Plan): void;
}

/** Milliseconds. */
export interface WorkerOptions {
  /** Tells workers apart in logs and at the broker. */
  readonly name: string;
  /** Scheduler types it takes. */
  readonly types?: readonly string[];
  /** Requests to the broker at once: while the plans of one are acknowledged, what another brought is scheduled. */
  readonly pipeline?: number;
  /** Most evaluations that one request brings. */
  readonly batch?: number;
  /** How long the broker may hold a request. */
  readonly waitMs?: number;
  /** How long the replica may take to catch up with an evaluation. */
  readonly catchUpMs?: number;
  readonly touchEveryMs?: number;
}

export type WorkerSettings = Required<WorkerOptions>;

export function workerSettings(options: WorkerOptions): WorkerSettings {
  return {
    types: ["service", "batch", "system", "sysbatch"],
    pipeline: 4,
    // Their plans share an entry of the log. With all requests, some 190: 10 to 60 ms of scheduling small jobs.
    batch: 48,
    // A request that was lost, as when a NATS node dies, is made anew this much later and a little more.
    waitMs: 1_000,
    catchUpMs: 5_000,
    // A broker gives a silent worker five times as long.
    touchEveryMs: 1_000,
    ...options,
  };
}
