import type { Evaluation } from "@steppe/proto";
import { Heap } from "../heap.ts";

/** Unix nanoseconds before which the evaluation is not to be processed; 0 = at once. */
export function notBeforeNs(evaluation: Evaluation): number {
  if (evaluation.WaitUntil > 0) return evaluation.WaitUntil;
  return evaluation.Wait > 0 ? evaluation.CreateTime + evaluation.Wait : 0;
}

/** Evaluations whose time has not come, on the wall clock. */
export class DelayedEvaluations {
  readonly #byId: Map<string, Evaluation> = new Map();
  readonly #heap: Heap<Evaluation> = new Heap((a, b) => notBeforeNs(a) < notBeforeNs(b));

  get size(): number {
    return this.#byId.size;
  }

  add(evaluation: Evaluation): void {
    if (this.#byId.has(evaluation.ID)) return;
    this.#byId.set(evaluation.ID, evaluation);
    this.#heap.push(evaluation);
  }

  remove(id: string): void {
    this.#byId.delete(id);
  }

  /** Takes out those whose time has come. */
  takeDue(wallNs: number): Evaluation[] {
    const due: Evaluation[] = [];
    for (let next = this.#first(); next !== undefined && notBeforeNs(next) <= wallNs; next = this.#first()) {
      this.#heap.pop();
      this.#byId.delete(next.ID);
      due.push(next);
    }
    return due;
  }

  nextDueNs(): number {
    const next = this.#first();
    return next === undefined ? Number.POSITIVE_INFINITY : notBeforeNs(next);
  }

  #first(): Evaluation | undefined {
    return this.#heap.peekValid((evaluation) => this.#byId.get(evaluation.ID) === evaluation);
  }
}
