import type { Evaluation } from "@steppe/proto";
import { type JobKey, jobKey } from "@steppe/state";

/** `missed`: capacity was freed after its scheduler looked, so it is to be processed now. */
export type BlockResult = "blocked" | "missed";

/**
 * Evaluations that wait for capacity, by the computed node classes they could use. Of a job there
 * is one: applying the plan that makes a second one cancels the first, and applying one that places everything, or
 * the end of the job, cancels the last.
 *
 * Capacity freed between the snapshot an evaluation was scheduled on and its arrival here is not
 * missed: the index at which each class last gained some is remembered and compared.
 */
export class BlockedEvaluations {
  readonly #byJob: Map<JobKey, Evaluation> = new Map();
  readonly #freedAt: Map<string, number> = new Map();
  /** Any class may have gained capacity up to here: nobody watched before. */
  readonly #unwatchedUntil: number;
  #lastFreedAt = 0;

  constructor(unwatchedUntil = 0) {
    this.#unwatchedUntil = unwatchedUntil;
  }

  get size(): number {
    return this.#byJob.size;
  }

  block(evaluation: Evaluation): BlockResult {
    const key = jobKey(evaluation.Namespace, evaluation.JobID);
    this.#byJob.delete(key);
    if (this.#missed(evaluation)) return "missed";
    this.#byJob.set(key, evaluation);
    return "blocked";
  }

  /** Takes out what may find room now that nodes of these classes have some since `index`. */
  freed(classes: Iterable<string>, index: number): Evaluation[] {
    const freed = [...classes];
    if (freed.length === 0) return [];
    this.#lastFreedAt = index;
    for (const name of freed) this.#freedAt.set(name, index);
    return this.#take((evaluation) => freed.some((name) => mayUse(evaluation, name)));
  }

  /** Takes out what waits not for capacity but for calmer times: a placement conflict frees nothing. */
  conflicted(): Evaluation[] {
    return this.#take(({ TriggeredBy }) => TriggeredBy === "max-plan-attempts");
  }

  remove(evaluation: Evaluation): void {
    const key = jobKey(evaluation.Namespace, evaluation.JobID);
    if (this.#byJob.get(key)?.ID === evaluation.ID) this.#byJob.delete(key);
  }

  #missed(evaluation: Evaluation): boolean {
    const { SnapshotIndex, CreateIndex } = evaluation;
    const seen = SnapshotIndex || CreateIndex;
    if (this.#unwatchedUntil > seen) return true;
    if (this.#lastFreedAt <= seen) return false;
    for (const [name, index] of this.#freedAt) if (index > seen && mayUse(evaluation, name)) return true;
    return false;
  }

  #take(wanted: (evaluation: Evaluation) => boolean): Evaluation[] {
    const taken: Evaluation[] = [];
    for (const [key, evaluation] of this.#byJob) {
      if (!wanted(evaluation)) continue;
      this.#byJob.delete(key);
      taken.push(evaluation);
    }
    return taken;
  }
}

/**
 * A class that the scheduler did not look at may do as well as one it found eligible. System jobs
 * wait for single nodes, which any class may have.
 */
function mayUse(evaluation: Evaluation, className: string): boolean {
  if (evaluation.Type === "system" || evaluation.Type === "sysbatch") return true;
  return evaluation.EscapedComputedClass || evaluation.ClassEligibility[className] !== false;
}
