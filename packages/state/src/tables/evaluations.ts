import type { Evaluation } from "@steppe/proto";
import { type JobKey, jobKey } from "../changes.ts";

/** Evaluations by id and by job. Objects are never changed in place. */
export class EvaluationTable {
  readonly byId: Map<string, Evaluation> = new Map();
  readonly byJob: Map<JobKey, JobEvaluations> = new Map();

  get(id: string): Evaluation | undefined {
    return this.byId.get(id);
  }

  ofJob(namespace: string, jobId: string): JobEvaluations | undefined {
    return this.byJob.get(jobKey(namespace, jobId));
  }

  put(evaluation: Evaluation): void {
    const key = jobKey(evaluation.Namespace, evaluation.JobID);
    let ofJob = this.byJob.get(key);
    if (ofJob === undefined) {
      ofJob = { ids: new Set(), blocked: NONE, open: 0, index: 0 };
      this.byJob.set(key, ofJob);
    }
    const before = this.byId.get(evaluation.ID);
    ofJob.open += Number(isOpen(evaluation)) - Number(before !== undefined && isOpen(before));
    ofJob.index = Math.max(ofJob.index, evaluation.ModifyIndex);
    ofJob.ids.add(evaluation.ID);
    if (evaluation.Status === "blocked") ofJob.blocked = [...without(ofJob.blocked, evaluation.ID), evaluation.ID];
    else ofJob.blocked = without(ofJob.blocked, evaluation.ID);
    this.byId.set(evaluation.ID, evaluation);
  }

  remove(id: string): void {
    const evaluation = this.byId.get(id);
    if (evaluation === undefined) return;
    this.byId.delete(id);
    const key = jobKey(evaluation.Namespace, evaluation.JobID);
    const ofJob = this.byJob.get(key);
    if (ofJob === undefined) return;
    ofJob.ids.delete(id);
    ofJob.blocked = without(ofJob.blocked, id);
    if (isOpen(evaluation)) ofJob.open -= 1;
    if (ofJob.ids.size === 0) this.byJob.delete(key);
  }
}

/** Few jobs have a blocked one, so the others share a list. */
const NONE: readonly string[] = [];

function without(ids: readonly string[], id: string): readonly string[] {
  if (!ids.includes(id)) return ids;
  return ids.length === 1 ? NONE : ids.filter((it) => it !== id);
}

export interface JobEvaluations {
  readonly ids: Set<string>;
  /** Those that wait for capacity: at most one, once the entry is applied. */
  blocked: readonly string[];
  /** Evaluations that are still to be processed. */
  open: number;
  /** Index of the last change among them. */
  index: number;
}

/** Still to be processed: a plan for it is welcome. */
export function isOpen(evaluation: Evaluation): boolean {
  return evaluation.Status === "pending" || evaluation.Status === "blocked";
}
