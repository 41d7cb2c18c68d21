import type { Claimant } from "../claims/claimant.ts";
import type { Scorer } from "./scorer.ts";

/** Prefers nodes that can give the devices which the tasks' affinities prefer. */
export class DeviceAffinity implements Scorer {
  readonly name = "devices";
  readonly isSilent = false;
  readonly #claimant: Claimant;

  constructor(claimant: Claimant) {
    this.#claimant = claimant;
  }

  score(slot: number): number {
    return this.#claimant.preference(slot);
  }
}
