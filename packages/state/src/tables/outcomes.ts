import { Fifo } from "@steppe/model";
import { Outcome } from "@steppe/proto";

/** A repeat is recognised for this long, log time. Far beyond any retry: clients give up in seconds, a forward in five. */
export const REMEMBER_NS = 10 * 60 * 1e9;
/** And at most so many, so that a flood of writes bounds memory (about 250 bytes each). */
export const REMEMBER_MAX = 262_144;

export interface Remembered {
  readonly time: number;
  readonly outcome: Outcome;
}

/**
 * Outcomes of recent requests by request ID. Their order is kept apart: a map finds its oldest entry only by walking
 * over all that were deleted before it, which took a millisecond a write once requests were forgotten as they came.
 */
export class OutcomeTable {
  readonly #byRequest: Map<string, Kept> = new Map();
  readonly #oldestFirst: Fifo<Kept> = new Fifo();

  get size(): number {
    return this.#byRequest.size;
  }

  get(requestId: string): Outcome | undefined {
    return this.#byRequest.get(requestId)?.outcome;
  }

  /** `requestId` must not be there. */
  remember(requestId: string, outcome: Outcome, time: number): void {
    this.restore(requestId, { outcome, time });
    for (;;) {
      const oldest = this.#oldestFirst.first as Kept;
      if (this.size <= REMEMBER_MAX && oldest.time > time - REMEMBER_NS) return;
      this.#byRequest.delete(oldest.requestId);
      this.#oldestFirst.shift();
    }
  }

  /** As `remember`, and forgets none. */
  restore(requestId: string, { outcome, time }: Remembered): void {
    const kept = new Kept(requestId, outcome, time);
    this.#byRequest.set(requestId, kept);
    this.#oldestFirst.push(kept);
  }

  /** Oldest first. */
  *entries(): Generator<readonly [requestId: string, remembered: Remembered]> {
    for (const kept of this.#byRequest.values()) yield [kept.requestId, kept];
  }
}

/** An outcome in half of its bytes where it tells no more than most do: which evaluation came of it, what was placed. */
class Kept implements Remembered {
  readonly requestId: string;
  readonly time: number;
  readonly #index: number;
  readonly #evalId: string;
  readonly #evalCreateIndex: number;
  readonly #jobModifyIndex: number;
  readonly #placed: number;
  readonly #fingerprint: string;
  /** Of one that tells more. */
  readonly #whole: Outcome | undefined;

  constructor(requestId: string, outcome: Outcome, time: number) {
    this.requestId = requestId;
    this.time = time;
    this.#index = outcome.Index;
    this.#evalId = outcome.EvalID;
    this.#evalCreateIndex = outcome.EvalCreateIndex;
    this.#jobModifyIndex = outcome.JobModifyIndex;
    this.#placed = outcome.Placed;
    this.#fingerprint = outcome.Fingerprint;
    this.#whole = tellsMore(outcome) ? outcome : undefined;
  }

  get outcome(): Outcome {
    if (this.#whole !== undefined) return this.#whole;
    return {
      ...Outcome.create(),
      Index: this.#index,
      EvalID: this.#evalId,
      EvalCreateIndex: this.#evalCreateIndex,
      JobModifyIndex: this.#jobModifyIndex,
      Placed: this.#placed,
      Fingerprint: this.#fingerprint,
    };
  }
}

/** Whether one of its other fields is set. */
function tellsMore(it: Outcome): boolean {
  return (
    it.Refusal !== undefined ||
    it.Warnings.length > 0 ||
    it.JobID !== "" ||
    it.RejectedNodes.length > 0 ||
    it.Term !== 0 ||
    it.EvalIDs.length > 0 ||
    it.DeploymentModifyIndex !== 0 ||
    it.RevertedJobVersion !== undefined ||
    it.Updated ||
    it.JobCreateIndex !== 0 ||
    it.VersionTag !== undefined ||
    it.Removed !== 0 ||
    it.Conflict ||
    it.Rollout !== 0
  );
}
