/** Says how good one more allocation of the group would be in a slot. Follows the plan as it grows. */
export interface Scorer {
  /** As the API names it in an allocation's metrics. */
  readonly name: string;
  /** Higher is better, normally within -1 to 1; NaN when it has nothing to say of the slot. */
  score(slot: number): number;
}

/** The arithmetic mean of what the scorers have to say. */
export function meanScore(scorers: readonly Scorer[], slot: number): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < scorers.length; i++) {
    const score = (scorers[i] as Scorer).score(slot);
    if (Number.isNaN(score)) continue;
    sum += score;
    count += 1;
  }
  return count === 0 ? 0 : sum / count;
}
