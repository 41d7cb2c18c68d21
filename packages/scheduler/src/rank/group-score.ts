import type { FreeShares } from "../room.ts";
import type { NodeAffinity } from "./affinity.ts";
import type { AntiAffinity } from "./anti-affinity.ts";
import type { BinPack } from "./bin-pack.ts";
import type { DeviceAffinity } from "./devices.ts";
import type { ReschedulePenalty } from "./reschedule-penalty.ts";

/**
 * What the scorers of a group say of a slot, but for the spread, which says the same of whole
 * classes. Names its scorers one by one, so that each is called directly.
 */
export class GroupScore {
  readonly packing: BinPack;
  readonly antiAffinity: AntiAffinity;
  readonly penalty: ReschedulePenalty;
  readonly affinity: NodeAffinity | undefined;
  readonly devices: DeviceAffinity | undefined;
  /** Of the slot measured last: the sum of what was said, and how many said something. */
  sum = 0;
  count = 0;

  constructor(
    packing: BinPack,
    antiAffinity: AntiAffinity,
    penalty: ReschedulePenalty,
    affinity: NodeAffinity | undefined,
    devices: DeviceAffinity | undefined = undefined,
  ) {
    this.packing = packing;
    this.antiAffinity = antiAffinity;
    this.penalty = penalty;
    this.affinity = affinity;
    this.devices = devices;
  }

  measure(slot: number): void {
    this.sum = this.packing.score(slot);
    this.count = 1;
    this.#append(this.antiAffinity.score(slot));
    this.#append(this.penalty.score(slot));
    if (this.affinity !== undefined) this.#append(this.affinity.score(slot));
    if (this.devices !== undefined) this.#append(this.devices.score(slot));
  }

  /** The same for the first so many slots of a list, into columns beside it: each scorer goes over all of them on its own. */
  measureAll(slots: Int32Array, length: number, free: FreeShares, sums: Float64Array, counts: Uint8Array): void {
    this.packing.scoreAll(free, length, sums);
    counts.fill(1, 0, length);
    for (const scorer of [this.antiAffinity, this.penalty, this.affinity, this.devices]) {
      if (scorer === undefined || scorer.isSilent) continue;
      for (let i = 0; i < length; i++) {
        const score = scorer.score(slots[i] as number);
        if (Number.isNaN(score)) continue;
        sums[i] = (sums[i] as number) + score;
        counts[i] = (counts[i] as number) + 1;
      }
    }
  }

  /** By scorer, as metrics show them: 0 for one that has nothing to say. */
  named(slot: number): Record<string, number> {
    const shown = (score: number | undefined) => (score === undefined || Number.isNaN(score) ? 0 : score);
    return {
      binpack: this.packing.score(slot),
      [this.antiAffinity.name]: shown(this.antiAffinity.score(slot)),
      "node-affinity": shown(this.affinity?.score(slot)),
      [this.penalty.name]: shown(this.penalty.score(slot)),
      ...(this.devices !== undefined && { [this.devices.name]: shown(this.devices.score(slot)) }),
    };
  }

  #append(score: number): void {
    if (Number.isNaN(score)) return;
    this.sum += score;
    this.count += 1;
  }
}
