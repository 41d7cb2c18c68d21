import type { LaunchPeriodic } from "@steppe/proto";
import type { JobKey } from "@steppe/state";
import { Alarm } from "../alarm.ts";
import { Heap } from "../heap.ts";
import { dueAtNs, launchNow } from "./decide.ts";
import type { PeriodicNeeds } from "./needs.ts";

interface Due {
  readonly key: JobKey;
  readonly atNs: number;
}

/**
 * Launches periodic jobs at their ticks during one term. What was launched last is in the state,
 * where a tick that is not later launches nothing: so a tick is launched once, whichever leaders
 * try, and one that nobody tried is launched by the next leader.
 */
export class PeriodicLauncher {
  readonly #term: number;
  readonly #needs: PeriodicNeeds;
  readonly #signal: AbortSignal;
  readonly #alarm: Alarm = new Alarm();
  readonly #heap: Heap<Due> = new Heap((a, b) => a.atNs < b.atNs);
  /** The entry of each job that counts; others in the heap are out of date. */
  readonly #due: Map<JobKey, Due> = new Map();
  readonly #launching: Set<JobKey> = new Set();

  constructor(term: number, needs: PeriodicNeeds, signal: AbortSignal) {
    this.#term = term;
    this.#needs = needs;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { view, clock, onApplied } = this.#needs;
    const unsubscribe = onApplied(({ changes }) => {
      for (const key of changes.jobs) this.#plan(key);
    });
    await this.#planAll([...view.jobs.periodic].map(({ key }) => key));
    while (!this.#signal.aborted) {
      for (let due = this.#first(); due !== undefined && due.atNs <= clock.wallNs(); due = this.#first()) {
        this.#due.delete(due.key);
        void this.#launch(due.key);
      }
      const nextNs = this.#first()?.atNs ?? Number.POSITIVE_INFINITY;
      await this.#alarm.wait(clock, (nextNs - clock.wallNs()) / 1e6, this.#signal);
    }
    unsubscribe();
  }

  /** In slices: reading a cron expression takes a tenth of a millisecond, and the lease is to be renewed meanwhile. */
  async #planAll(keys: readonly JobKey[]): Promise<void> {
    for (const [i, key] of keys.entries()) {
      if (i % SLICE === SLICE - 1) await new Alarm().wait(this.#needs.clock, 0, this.#signal);
      if (this.#signal.aborted) return;
      this.#plan(key);
    }
  }

  #first(): Due | undefined {
    return this.#heap.peekValid((due) => this.#due.get(due.key) === due);
  }

  #plan(key: JobKey): void {
    const { view, ticks } = this.#needs;
    const job = view.jobs.byKey.get(key);
    const atNs = job === undefined || this.#launching.has(key) ? undefined : dueAtNs(job, ticks);
    if (this.#due.get(key)?.atNs === atNs) return;
    this.#due.delete(key);
    if (atNs === undefined) return;
    const due = { key, atNs };
    this.#due.set(key, due);
    this.#heap.push(due);
    this.#alarm.ring();
  }

  async #launch(key: JobKey): Promise<void> {
    const { view, clock, ticks } = this.#needs;
    const job = view.jobs.byKey.get(key);
    const LaunchTime = job === undefined ? undefined : launchNow(job, clock.wallNs(), ticks);
    if (job !== undefined && LaunchTime !== undefined) {
      const { Namespace, ID: JobID } = job.job;
      this.#launching.add(key);
      await this.#propose({ Namespace, JobID, LaunchTime, Term: this.#term, Forced: false });
      this.#launching.delete(key);
    }
    if (!this.#signal.aborted) this.#plan(key);
  }

  async #propose(value: LaunchPeriodic): Promise<void> {
    const { clock, logger, propose } = this.#needs;
    const job = value.JobID;
    try {
      const { Refusal } = await propose({ $case: "LaunchPeriodic", value }, { signal: this.#signal });
      if (Refusal === undefined) return;
      logger.debug({ job, reason: Refusal.Message }, "periodic job not launched");
    } catch (error) {
      if (this.#signal.aborted) return;
      logger.warn({ err: error, job }, "periodic launch failed; trying again");
    }
    // The tick is still due: not to be tried again at once.
    await new Alarm().wait(clock, RETRY_MS, this.#signal);
  }
}

const RETRY_MS = 1_000;
const SLICE = 200;
