import { isTerminalEvaluation } from "@steppe/model";
import type { Evaluation } from "@steppe/proto";
import { BlockedEvaluations } from "./blocked.ts";
import { AFTER_NEWER, canceled } from "./closing.ts";
import { DelayedEvaluations, notBeforeNs } from "./delayed.ts";
import { EvaluationQueue, type QueueLimits } from "./queue.ts";

/**
 * All open evaluations of a region, each in one of three places: to be handed out (`queue`), not
 * before its time (`delayed`), or waiting for capacity (`blocked`). Pure: follows what the log
 * says, and collects what the leader should write.
 */
export class OpenEvaluations {
  readonly queue: EvaluationQueue;
  readonly delayed: DelayedEvaluations = new DelayedEvaluations();
  readonly blocked: BlockedEvaluations;

  /** `unwatchedUntil`: index up to which capacity may have been freed unseen. */
  constructor(limits: QueueLimits, unwatchedUntil: number) {
    this.queue = new EvaluationQueue(limits);
    this.blocked = new BlockedEvaluations(unwatchedUntil);
  }

  /** An evaluation as the log has it now. */
  take(evaluation: Evaluation, wallNs: number): void {
    if (isTerminalEvaluation(evaluation)) this.#close(evaluation);
    else if (evaluation.Status === "blocked") this.#block(evaluation);
    else if (notBeforeNs(evaluation) > wallNs) this.delayed.add(evaluation);
    else this.queue.enqueue(evaluation);
  }

  /** Nodes of these classes gained capacity at `index`. */
  freed(classes: Iterable<string>, index: number): void {
    for (const evaluation of this.blocked.freed(classes, index)) this.queue.enqueue(evaluation);
  }

  retryConflicted(): void {
    for (const evaluation of this.blocked.conflicted()) this.queue.enqueue(evaluation);
  }

  advance(nowMs: number, wallNs: number): void {
    for (const evaluation of this.delayed.takeDue(wallNs)) this.queue.enqueue(evaluation);
    this.queue.advance(nowMs);
  }

  /** Evaluations to be written as canceled, once each. */
  takeCanceled(): Evaluation[] {
    return this.queue.takeSuperseded().map((evaluation) => canceled(evaluation, AFTER_NEWER));
  }

  #close(evaluation: Evaluation): void {
    this.delayed.remove(evaluation.ID);
    this.blocked.remove(evaluation);
    this.queue.settle(evaluation.ID);
  }

  #block(evaluation: Evaluation): void {
    this.queue.settle(evaluation.ID);
    if (this.blocked.block(evaluation) === "missed") this.queue.enqueue(evaluation);
  }
}
