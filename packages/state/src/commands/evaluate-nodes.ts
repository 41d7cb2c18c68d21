import type { Evaluation, Node } from "@steppe/proto";
import type { State } from "../state.ts";
import type { Step } from "../step.ts";
import type { AllocationState } from "../tables/allocations.ts";
import type { JobState } from "../tables/jobs.ts";
import { createEvaluation } from "./create-evaluation.ts";

/** Evaluations that one command makes of a change to nodes: one a job, however many of its nodes are concerned. */
export class NodeEvaluations {
  readonly #ids: string[] = [];
  readonly #state: State;
  readonly #step: Step;
  readonly #triggeredBy: string;
  readonly #evaluated: Set<JobState> = new Set();

  constructor(state: State, step: Step, triggeredBy = "node-update") {
    this.#state = state;
    this.#step = step;
    this.#triggeredBy = triggeredBy;
  }

  outcome(): { EvalIDs: string[]; EvalCreateIndex: number } {
    return { EvalIDs: this.#ids, EvalCreateIndex: this.#ids.length > 0 ? this.#step.index : 0 };
  }

  /** Jobs with live allocations on the nodes must look at them again. */
  jobsOn(nodes: readonly Node[]): this {
    for (const node of nodes) {
      for (const allocation of this.#state.nodes.allocationsOf(node.ID)) {
        if (!allocation.terminal) this.jobOf(allocation, node);
      }
    }
    return this;
  }

  /** System jobs may have to run on nodes that became usable. */
  systemJobs(nodes: readonly Node[]): this {
    const [node] = nodes;
    if (node === undefined) return this;
    for (const job of this.#state.jobs.system) this.#evaluate(job, node);
    return this;
  }

  jobOf({ Namespace, JobID }: AllocationState, node: Node | undefined): void {
    const job = this.#state.jobs.get(Namespace, JobID);
    if (job !== undefined) this.#evaluate(job, node);
  }

  #evaluate(job: JobState, node: Node | undefined): void {
    if (this.#evaluated.has(job)) return;
    this.#evaluated.add(job);
    const because: Partial<Evaluation> =
      node === undefined ? {} : { NodeID: node.ID, NodeModifyIndex: node.ModifyIndex };
    this.#ids.push(createEvaluation(this.#state, this.#step, job.job, this.#triggeredBy, because).ID);
    this.#state.refreshStatus(this.#step, job);
  }
}
