import type { AllocationView } from "@steppe/state";
import type { GroupScore } from "../rank/group-score.ts";
import type { Ranking } from "../rank/ranking.ts";
import type { Evictions } from "./evictions.ts";
import type { Ground } from "./ground.ts";
import { preemptionScore } from "./preemption-score.ts";

/** What a placement takes that has to make room first. */
export interface Forced {
  readonly slot: number;
  readonly score: number;
  readonly victims: readonly AllocationView[];
}

/**
 * The best node to make room on. Every node that can be made to fit is scored once, as it would
 * be after its evictions; the best is looked at again before it is taken, since which victims it
 * has depends on what the plan evicted elsewhere.
 */
export class Preemptor {
  readonly #ground: Ground;
  readonly #score: GroupScore;
  readonly #evictions: Evictions;
  readonly #ranking: Ranking;

  constructor(ground: Ground, score: GroupScore, evictions: Evictions, ranking: Ranking) {
    this.#ground = ground;
    this.#score = score;
    this.#evictions = evictions;
    this.#ranking = ranking;
  }

  consider(slot: number): void {
    const victims = this.#evictions.victims(slot, this.#ground);
    if (victims === undefined || victims.length === 0) this.#ranking.remove(slot);
    else this.#rank(slot, victims);
  }

  /** Nothing is evicted yet. `allows` says whether one more may stand in a slot. */
  best(allows: (slot: number) => boolean): Forced | undefined {
    for (;;) {
      const slot = this.#ranking.best;
      if (slot === -1) return undefined;
      const victims = allows(slot) ? this.#evictions.victims(slot, this.#ground) : undefined;
      if (victims === undefined || victims.length === 0) {
        this.#ranking.remove(slot);
        continue;
      }
      const before = this.#ranking.scoreOf(slot);
      this.#rank(slot, victims);
      const score = this.#ranking.scoreOf(slot);
      if (score >= before || this.#ranking.best === slot) return { slot, score, victims };
    }
  }

  #rank(slot: number, victims: readonly AllocationView[]): void {
    for (const victim of victims) this.#ground.free(slot, victim);
    this.#score.measure(slot);
    for (const victim of victims) this.#ground.restore(slot, victim);
    this.#ranking.set(slot, this.#score.sum + preemptionScore(victims), this.#score.count + 1);
  }
}
