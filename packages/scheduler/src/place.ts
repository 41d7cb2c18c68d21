import type { AllocMetric, NodeScoreMeta } from "@steppe/proto";
import type { AllocationView, Ask, NodeColumns } from "@steppe/state";
import type { Candidates } from "./candidates.ts";
import type { Claimant, Taken } from "./claims/claimant.ts";
import type { DistinctRules } from "./feasible/distinct.ts";
import type { Evictions } from "./preempt/evictions.ts";
import { Ground } from "./preempt/ground.ts";
import { Preemptor } from "./preempt/preemptor.ts";
import type { NodeAffinity } from "./rank/affinity.ts";
import { AntiAffinity } from "./rank/anti-affinity.ts";
import { type Algorithm, BinPack } from "./rank/bin-pack.ts";
import { ClassRanking } from "./rank/class-ranking.ts";
import { DeviceAffinity } from "./rank/devices.ts";
import { GroupScore } from "./rank/group-score.ts";
import { PlainRanking, type Ranking } from "./rank/ranking.ts";
import { NONE, ReschedulePenalty } from "./rank/reschedule-penalty.ts";
import type { Spreads } from "./rank/spread.ts";
import type { Room } from "./room.ts";
import type { Scratch } from "./scratch.ts";

/** What the groups of one job are placed against: it moves on with each placement. */
export interface Surroundings {
  readonly nodes: NodeColumns;
  readonly room: Room;
  /** Chooses among equal nodes. */
  readonly seed: number;
  /** Slots where a placer changed something, for the others; ~slot where an allocation went. */
  readonly touched: number[];
  readonly scratch: Scratch;
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
  readonly algorithm: Algorithm;
  readonly affinity: NodeAffinity | undefined;
  /** Know nothing yet of what is occupied. */
  readonly spreads: Spreads | undefined;
  /** Undefined: the group may not evict others. */
  readonly evictions: Evictions | undefined;
}

export interface Place {
  readonly slot: number;
  readonly score: number;
  /** What is evicted for it. */
  readonly victims: readonly AllocationView[];
  /** Undefined when it has nothing to itself. */
  readonly claims: Taken | undefined;
}

/** How many nodes' scores an allocation's metrics tell. */
const SCORES_KEPT = 5;

/** Slots scored together: what is worked out on the way stays in the processor's first cache. */
const CHUNK = 1024;

/**
 * Places allocations of one group, each on the best of all nodes. Every candidate is scored once
 * at the start and kept in a ranking; a placement changes the score of the chosen node, and with
 * spread blocks the terms of whole classes of nodes, which the ranking moves as one.
 *
 * 1. The ranking holds exactly the candidates that fit and are not parked; scores in it are current.
 * 2. A node is parked when it came up as the best and a distinct rule forbade it. Only an
 *    allocation that goes can make it allowed again, so the parked come back at `release`.
 * 3. Several placers may take turns: each takes in what the others touched before it places.
 * 4. What can be placed only by evicting others is ranked apart, from the first time that it is asked for.
 */
export class GroupPlacer {
  readonly #ask: Ask;
  readonly #candidates: Candidates;
  readonly #around: Surroundings;
  readonly #rules: DistinctRules;
  readonly #claimant: Claimant;
  readonly #score: GroupScore;
  readonly #spreads: Spreads | undefined;
  readonly #rankings: ClassRanking[] = [];
  readonly #ranking: Ranking;
  readonly #evictions: Evictions | undefined;
  #preemptor: Preemptor | undefined = undefined;
  /** How much of `touched` it has taken in. */
  #caughtUp: number;
  readonly #parked: Set<number> = new Set();
  readonly #isCandidate: Uint8Array;

  constructor(group: PlacedGroup, candidates: Candidates, around: Surroundings) {
    this.#ask = group.ask;
    this.#candidates = candidates;
    this.#around = around;
    this.#caughtUp = around.touched.length;
    this.#rules = group.rules;
    this.#claimant = group.claimant;
    this.#spreads = group.spreads;
    this.#evictions = group.evictions;
    const antiAffinity = new AntiAffinity(around.nodes.length, group.count, around.scratch);
    const packing = new BinPack(around.room, group.ask, group.algorithm);
    const devices = group.claimant.hasPreference ? new DeviceAffinity(group.claimant) : undefined;
    this.#score = new GroupScore(packing, antiAffinity, new ReschedulePenalty(), group.affinity, devices);
    for (const slot of group.occupied) {
      antiAffinity.add(slot);
      this.#spreads?.add(slot);
    }
    this.#isCandidate = around.scratch.bytes(around.nodes.length);
    this.#ranking = this.#createRanking();
    this.#fill();
  }

  /** Explains the next placement, or why there is none. */
  metric(): AllocMetric {
    this.#catchUp();
    const allFit = this.#rules.allowsAll && this.#ranking.size === this.#candidates.slots.length;
    const metric = allFit
      ? this.#candidates.overview()
      : this.#candidates.metric(this.#ask, this.#around.room, this.#rules, this.#claimant);
    metric.ScoreMetaData = this.#scores();
    return metric;
  }

  /**
   * Where the next one goes; undefined when there is no place. Slots in `penalised` are taken only
   * where the rest is worse still; when `among` is given, there is no choice but these.
   */
  place(penalised: readonly number[] = NONE, among?: readonly number[]): Place | undefined {
    this.#catchUp();
    if (penalised.length > 0) this.#penalise(penalised);
    const slot = among === undefined ? this.#best() : this.#bestAmong(among);
    const score = slot === -1 ? 0 : this.#ranking.scoreOf(slot);
    if (penalised.length > 0) this.#penalise(NONE);
    if (slot === -1) return among === undefined ? this.#preempt() : undefined;
    const claims = this.#claimant.take(slot);
    this.#occupy(slot, this.#ask);
    return { slot, score, victims: NO_VICTIMS, claims };
  }

  /** An allocation of this group stops: what it held may be used. */
  release(slot: number, { Ask: ask, Claims }: Pick<AllocationView, "Ask" | "Claims">): void {
    if (slot < 0) return;
    this.#catchUp();
    this.#around.room.free(slot, ask);
    this.#claimant.free(slot, Claims);
    this.#rules.remove(slot);
    this.#score.antiAffinity.remove(slot);
    this.#changed(this.#spreads?.remove(slot));
    this.#refresh(slot);
    this.#unpark();
    this.#touch(~slot);
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
    this.#score.antiAffinity.add(slot);
    this.#changed(this.#spreads?.add(slot));
    this.#refresh(slot);
    this.#touch(slot);
  }

  /** Caught up already, and with its own as well. */
  #touch(slot: number): void {
    this.#around.touched.push(slot);
    this.#caughtUp = this.#around.touched.length;
  }

  #catchUp(): void {
    const { touched } = this.#around;
    let last = Number.NaN;
    for (; this.#caughtUp < touched.length; this.#caughtUp++) {
      const slot = touched[this.#caughtUp] as number;
      if (slot === last) continue;
      last = slot;
      if (slot >= 0) {
        this.#refresh(slot);
      } else {
        this.#refresh(~slot);
        this.#unpark();
      }
    }
  }

  #unpark(): void {
    for (const parked of this.#parked) {
      this.#parked.delete(parked);
      this.#refresh(parked);
    }
  }

  #createRanking(): Ranking {
    const { nodes, seed, scratch } = this.#around;
    if (this.#spreads === undefined) return new PlainRanking(nodes.length, seed, scratch);
    const ranking = new ClassRanking(nodes.length, seed, this.#spreads, scratch);
    this.#rankings.push(ranking);
    return ranking;
  }

  #fill(): void {
    const { room, scratch } = this.#around;
    const { slots } = this.#candidates;
    for (let i = 0; i < slots.length; i++) this.#isCandidate[slots[i] as number] = 1;
    const claimed = this.#claimant.fitting(slots, scratch);
    const fitting = scratch.ints(CHUNK);
    const free = { cpu: scratch.floats(CHUNK), memory: scratch.floats(CHUNK) };
    const [sums, counts] = [scratch.floats(CHUNK), scratch.bytes(CHUNK)];
    for (let from = 0; from < claimed.length; from += CHUNK) {
      const count = room.fitting(claimed.subarray(from, from + CHUNK), this.#ask, fitting, free);
      this.#score.measureAll(fitting, count, free, sums, counts);
      this.#ranking.append(fitting, count, sums, counts);
    }
    this.#ranking.order();
  }

  #best(): number {
    for (;;) {
      const slot = this.#ranking.best;
      if (slot === -1 || this.#rules.isEmpty || this.#rules.allows(slot)) return slot;
      this.#ranking.remove(slot);
      this.#parked.add(slot);
    }
  }

  #bestAmong(slots: readonly number[]): number {
    let best = -1;
    for (const slot of slots) {
      if (!this.#ranking.has(slot) || !this.#rules.allows(slot)) continue;
      if (best === -1 || this.#ranking.scoreOf(slot) > this.#ranking.scoreOf(best)) best = slot;
    }
    return best;
  }

  #fits(slot: number): boolean {
    return this.#around.room.fits(slot, this.#ask) && this.#claimant.fits(slot);
  }

  #preempt(): Place | undefined {
    if (this.#evictions === undefined) return undefined;
    this.#preemptor ??= this.#createPreemptor(this.#evictions);
    const found = this.#preemptor.best((slot) => this.#mayStand(slot));
    if (found === undefined) return undefined;
    this.#evictions.evict(found.slot, found.victims);
    const claims = this.#claimant.take(found.slot);
    this.#occupy(found.slot, this.#ask);
    return { ...found, claims };
  }

  /** Evicting others does not change what the distinct rules say: they count allocations of the job alone. */
  #mayStand(slot: number): boolean {
    return this.#rules.isEmpty || this.#rules.allows(slot);
  }

  #createPreemptor(evictions: Evictions): Preemptor {
    const ground = new Ground(this.#around.room, this.#ask, this.#claimant);
    const preemptor = new Preemptor(ground, this.#score, evictions, this.#createRanking());
    for (const slot of this.#candidates.slots) preemptor.consider(slot);
    return preemptor;
  }

  #penalise(slots: readonly number[]): void {
    const touched = slots.length > 0 ? slots : this.#score.penalty.slots;
    this.#score.penalty.slots = slots;
    for (const slot of touched) this.#refresh(slot);
  }

  #changed(classes: readonly number[] | undefined): void {
    if (classes !== undefined) for (const ranking of this.#rankings) ranking.refresh(classes);
  }

  #refresh(slot: number): void {
    if (this.#isCandidate[slot] === 0) return;
    this.#preemptor?.consider(slot);
    if (this.#parked.has(slot)) return;
    if (!this.#fits(slot)) {
      this.#ranking.remove(slot);
      return;
    }
    this.#score.measure(slot);
    this.#ranking.set(slot, this.#score.sum, this.#score.count);
  }

  #scores(): NodeScoreMeta[] {
    const slots = this.#ranking.top(SCORES_KEPT).filter((slot) => this.#rules.isEmpty || this.#rules.allows(slot));
    return slots.map((slot) => ({
      NodeID: this.#around.nodes.nodes[slot]?.ID ?? "",
      Scores: this.#named(slot),
      NormScore: this.#ranking.scoreOf(slot),
    }));
  }

  #named(slot: number): Record<string, number> {
    const named = this.#score.named(slot);
    const spreads = this.#spreads;
    if (spreads !== undefined) named[spreads.name] = spreads.term(spreads.classOf(slot));
    return named;
  }
}

const NO_VICTIMS: readonly AllocationView[] = [];
