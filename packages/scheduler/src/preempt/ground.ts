import type { AllocationView, Ask } from "@steppe/state";
import type { Claimant } from "../claims/claimant.ts";
import type { Room } from "../room.ts";

/** What one allocation of a group needs of a node, against what is there as others go and come back. */
export class Ground {
  readonly #room: Room;
  readonly #ask: Ask;
  readonly #claimant: Claimant;

  constructor(room: Room, ask: Ask, claimant: Claimant) {
    this.#room = room;
    this.#ask = ask;
    this.#claimant = claimant;
  }

  fits(slot: number): boolean {
    return this.#room.fits(slot, this.#ask) && this.#claimant.fits(slot);
  }

  /** What lacks of CPU, memory and disk; 0 of each where only ports, devices or cores do. */
  shortage(slot: number): Omit<Ask, "cores"> {
    return this.#room.shortage(slot, this.#ask);
  }

  free(slot: number, { Ask, Claims }: AllocationView): void {
    this.#room.free(slot, Ask);
    this.#claimant.free(slot, Claims);
  }

  restore(slot: number, { Ask, Claims }: AllocationView): void {
    this.#room.take(slot, Ask);
    this.#claimant.restore(slot, Claims);
  }
}
