import { LARGE, lacksRoom, wantedBy } from "@steppe/control";
import type { Clock, Random } from "@steppe/model";
import { type Command, Evaluation, type Job, type Outcome, type Plan, type RegisterJob } from "@steppe/proto";
import { schedule, Underway, VerdictCache } from "@steppe/scheduler";
import { type JobView, type StateView, withJob } from "@steppe/state";
import { type Meter, NO_METER } from "./metrics/figures.ts";
import { meteredSchedule } from "./metrics/metered.ts";

type Write = (kind: NonNullable<Command["Kind"]>) => Promise<Outcome>;

/** Writes registrations, with a plan where one can be made beforehand. */
export interface EarlyPlans {
  register(command: RegisterJob, write: Write): Promise<Outcome>;
}

/** Every job is left to its evaluation. */
export const NO_EARLY_PLANS: EarlyPlans = {
  register: (value, write) => write({ $case: "RegisterJob", value }),
};

export interface EarlyPlanNeeds {
  readonly view: StateView;
  readonly clock: Clock;
  readonly random: Random;
  readonly meter?: Meter;
  /** Clients whose requests wait for answers of this process, the one that registers among them. Absent: it alone. */
  readonly waiting?: { readonly requests: number };
  /** Scheduler types that this process takes now. */
  types(): readonly string[];
}

/** With more clients waiting, what they wait for comes first. */
const CLIENTS_MAX = 4;

/**
 * Plans jobs before they are there, so that one entry of the log registers and places them
 * (docs/decisions/0083-a-new-job-brings-its-plan.md). The plan is checked where it applies, as any other: what does not fit any more is
 * left to the evaluation. So this is for what seldom fails, and takes nothing from those who were there first:
 *
 * 1. New jobs that are not large. What runs of others may have changed by then.
 * 2. While no evaluation of a higher priority is open, and the broker is not paused.
 * 3. While few clients wait. Workers have time when it is calm.
 */
export function createEarlyPlans(needs: EarlyPlanNeeds): EarlyPlans {
  return new Planner(needs);
}

class Planner implements EarlyPlans {
  readonly #needs: EarlyPlanNeeds;
  readonly #underway: Underway;
  readonly #schedule: (view: StateView, evaluation: Evaluation) => Plan;

  constructor(needs: EarlyPlanNeeds) {
    const { view, clock, random, meter = NO_METER } = needs;
    this.#needs = needs;
    const underway = new Underway(view);
    this.#underway = underway;
    const cache = new VerdictCache();
    const stopwatch = () => clock.monotonicMs() * 1e6;
    this.#schedule = meteredSchedule(
      (state, evaluation) => schedule(state, evaluation, { now: clock.wallNs(), random, cache, underway, stopwatch }),
      meter,
      clock,
    );
  }

  async register(value: RegisterJob, write: Write): Promise<Outcome> {
    const early = value.Job && this.#plan(value.Job, value.EvalPriority || value.Job.Priority);
    if (early === undefined) return write({ $case: "RegisterJob", value });
    const { plan, job } = early;
    this.#underway.add(plan, job);
    try {
      return await write({ $case: "RegisterAndPlan", value: { Register: value, Plan: plan } });
    } finally {
      this.#underway.remove(plan);
    }
  }

  /** `priority`: of the evaluation. Undefined when the job is to be left to it. */
  #plan(given: Job, priority: number): { readonly plan: Plan; readonly job: JobView } | undefined {
    if (!this.#mayPlan(given, priority)) return undefined;
    const view = withJob(this.#needs.view, given);
    const job = view.jobs.get(given.Namespace, given.ID);
    if (job === undefined || wantedBy(job) >= LARGE) return undefined;
    const plan = this.#schedule(view, this.#evaluationOf(job.job, priority));
    // What others on their way will take may be refused them, and nothing would tell then that there is room after all.
    return lacksRoom(plan) && !this.#underway.isEmpty ? undefined : { plan, job };
  }

  #mayPlan({ Namespace, ID, Type, Periodic, ParameterizedJob }: Job, priority: number): boolean {
    const { view, waiting, types } = this.#needs;
    return (
      (waiting === undefined || waiting.requests <= CLIENTS_MAX) &&
      Periodic === undefined &&
      ParameterizedJob === undefined &&
      view.jobs.get(Namespace, ID) === undefined &&
      !view.schedulerConfiguration.PauseEvalBroker &&
      !view.evaluations.hasOpenAbove(priority) &&
      types().includes(Type)
    );
  }

  /** Stands for the one that the registration will make, which has another ID. */
  #evaluationOf({ Namespace, ID: JobID, Type, JobModifyIndex }: Job, Priority: number): Evaluation {
    return Evaluation.create({
      ...{ ID: this.#needs.random.id(), Namespace, JobID, Type, JobModifyIndex, Priority },
      ...{ TriggeredBy: "job-register", Status: "pending" },
    });
  }
}
