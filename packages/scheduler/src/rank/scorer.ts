/** Says how good one more allocation of the group would be in a slot. Follows the plan as it grows. */
export interface Scorer {
  /** As the API names it in an allocation's metrics. */
  readonly name: string;
  /** Higher is better, normally within -1 to 1; NaN when it has nothing to say of the slot. */
  score(slot: number): number;
  /** It has nothing to say of any slot. */
  readonly isSilent: boolean;
}
