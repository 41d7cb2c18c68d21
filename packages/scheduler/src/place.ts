import type { AllocMetric, Claims } from "@steppe/proto";
import type { AllocationView, Ask, NodeColumns } from "@steppe/state";
import type { Candidates } from "./candidates.ts";
import type { Claimant } from "./claims/claimant.ts";
import type { DistinctRules } from "./feasible/distinct.ts";
import { AntiAffinity } from "./rank/anti-affinity.ts";
import { BinPack } from "./rank/bin-pack.ts";
import { DeviceAffinity } from "./rank/devices.ts";
import { NodeHeap } from "./rank/node-heap.ts";
import { NONE, ReschedulePenalty } from "./rank/reschedule-penalty.ts";
import { meanScore, type Scorer } from "./rank/scorer.ts";
import type { Room } from "./room.ts";

/** What the groups of one job are placed against: it moves on with each placement. */
export interface Surroundings {
  readonly nodes: NodeColumns;
  readonly room: Room;
  /** Chooses among equal nodes. */
  readonly seed: number;
}

/** A group that is to be placed. */
export interface PlacedGroup {
  readonly count: number;
  readonly ask: Ask;
  /** Slots of its allocations that run and go on. */
  readonly occupied: readonly number[];
  /** The distinct_* constraints that bind it; they know of what is occupied. */
  readonly rules: DistinctRules;
  /** Gives out ports and devices. */
  readonly claimant: Claimant;
}

export interface Placed {
  readonly slot: number;
  readonly score: number;
  /** Undefined when it has nothing to itself. */
  readonly claims: Claims | undefined;
}

/**
 * Places allocations of one group, each on the best of all nodes. Every candidate is scored once
 * at the start and kept in a heap; a placement changes the score of the chosen node alone.
 *
 * 1. The heap holds exactly the candidates that fit and are not parked; scores in it are current.
 * 2. A node is parked when it came up as the best and a distinct rule forbade it. Only an
 *    allocation that goes can make it allowed again, so the parked come back at `release`.
 */
export class GroupPlacer {
  readonly #ask: Ask;
  readonly #candidates: Candidates;
  readonly #around: Surroundings;
  readonly #rules: DistinctRules;
  readonly #claimant: Claimant;
  readonly #antiAffinity: AntiAffinity;
  readonly #penalty = new ReschedulePenalty();
  readonly #scorers: readonly Scorer[];
  readonly #heap: NodeHeap;
  readonly #parked: Set<number> = new Set();
  readonly #isCandidate: Uint8Array;

  constructor(group: PlacedGroup, candidates: Candidates, around: Surroundings) {
    this.#ask = group.ask;
    this.#candidates = candidates;
    this.#around = around;
    this.#rules = group.rules;
    this.#claimant = group.claimant;
    this.#antiAffinity = new AntiAffinity(around.nodes.length, group.count);
    for (const slot of group.occupied) this.#antiAffinity.add(slot);
    const devices = group.claimant.hasPreference ? [new DeviceAffinity(group.claimant)] : [];
    this.#scorers = [new BinPack(around.room, group.ask), ...devices, this.#antiAffinity, this.#penalty];
    this.#isCandidate = new Uint8Array(around.nodes.length);
    this.#heap = this.#fill();
  }

  /** Explains the next placement, or why there is none. */
  metric(): AllocMetric {
    const allFit = this.#rules.isEmpty && this.#heap.size === this.#candidates.slots.length;
    if (allFit) return this.#candidates.overview();
    return this.#candidates.metric(this.#ask, this.#around.room, this.#rules, this.#claimant);
  }

  /**
   * The slot chosen; undefined when there is none. Slots in `penalised` are taken only where the
   * rest is worse still; when `among` is given, there is no choice but these.
   */
  place(penalised: readonly number[] = NONE, among?: readonly number[]): Placed | undefined {
    if (penalised.length > 0) this.#penalise(penalised);
    const slot = among === undefined ? this.#best() : this.#bestAmong(among);
    const score = slot === -1 ? 0 : this.#heap.scoreOf(slot);
    if (penalised.length > 0) this.#penalise(NONE);
    if (slot === -1) return undefined;
    const claims = this.#claimant.take(slot);
    this.#occupy(slot, this.#ask);
    return { slot, score, claims };
  }

  /** An allocation of this group stops: what it held may be used. */
  release(slot: number, { Ask: ask, Claims }: Pick<AllocationView, "Ask" | "Claims">): void {
    if (slot < 0) return;
    this.#around.room.free(slot, ask);
    this.#claimant.free(slot, Claims);
    this.#rules.remove(slot);
    this.#antiAffinity.remove(slot);
    this.#refresh(slot);
    for (const parked of this.#parked) {
      this.#parked.delete(parked);
      this.#refresh(parked);
    }
  }

  /** It does not stop after all. */
  restore(slot: number, { Ask: ask, Claims }: Pick<AllocationView, "Ask" | "Claims">): void {
    if (slot < 0) return;
    this.#claimant.restore(slot, Claims);
    this.#occupy(slot, ask);
  }

  #occupy(slot: number, ask: Ask): void {
    this.#around.room.take(slot, ask);
    this.#rules.add(slot);
    this.#antiAffinity.add(slot);
    this.#refresh(slot);
  }

  #fill(): NodeHeap {
    const { nodes, seed } = this.#around;
    const heap = new NodeHeap(nodes.length, seed);
    for (const slot of this.#candidates.slots) {
      this.#isCandidate[slot] = 1;
      if (this.#fits(slot)) heap.append(slot, meanScore(this.#scorers, slot));
    }
    heap.order();
    return heap;
  }

  #best(): number {
    for (;;) {
      const slot = this.#heap.best;
      if (slot === -1 || this.#rules.isEmpty || this.#rules.allows(slot)) return slot;
      this.#heap.remove(slot);
      this.#parked.add(slot);
    }
  }

  #bestAmong(slots: readonly number[]): number {
    let best = -1;
    for (const slot of slots) {
      if (!this.#heap.has(slot) || !this.#rules.allows(slot)) continue;
      if (best === -1 || this.#heap.scoreOf(slot) > this.#heap.scoreOf(best)) best = slot;
    }
    return best;
  }

  #fits(slot: number): boolean {
    return this.#around.room.fits(slot, this.#ask) && this.#claimant.fits(slot);
  }

  #penalise(slots: readonly number[]): void {
    const touched = slots.length > 0 ? slots : this.#penalty.slots;
    this.#penalty.slots = slots;
    for (const slot of touched) this.#refresh(slot);
  }

  #refresh(slot: number): void {
    if (this.#isCandidate[slot] === 0 || this.#parked.has(slot)) return;
    if (this.#fits(slot)) this.#heap.set(slot, meanScore(this.#scorers, slot));
    else this.#heap.remove(slot);
  }
}
