import { claimAskOf } from "@steppe/model";
import type { Evaluation, Job, TaskGroup } from "@steppe/proto";
import { HoldingsOverlay, type JobView, type StateView } from "@steppe/state";
import { Candidates } from "./candidates.ts";
import { Claimant } from "./claims/claimant.ts";
import type { SchedulerContext } from "./context.ts";
import { JobDistinct } from "./feasible/distinct.ts";
import { VerdictCache } from "./feasible/verdict-cache.ts";
import { FEASIBLE, type Verdicts } from "./feasible/verdicts.ts";
import type { Surroundings } from "./place.ts";
import { Draft } from "./plan/draft.ts";
import { Evictions, mayPreempt } from "./preempt/evictions.ts";
import type { NodeAffinity } from "./rank/affinity.ts";
import type { Algorithm } from "./rank/bin-pack.ts";
import { Spreads } from "./rank/spread.ts";
import { createSpreadBlock } from "./rank/spread-block.ts";
import { Room } from "./room.ts";
import type { Scratch } from "./scratch.ts";

/** One evaluation of a job that is there, under way. */
export class Pass {
  readonly view: StateView;
  readonly evaluation: Evaluation;
  readonly context: SchedulerContext;
  readonly jobView: JobView;
  readonly job: Job;
  readonly draft: Draft;
  /** Where allocations of the job stand, as far as distinct_* constraints ask. */
  readonly distinct: JobDistinct;
  readonly #cache: VerdictCache;
  readonly #verdicts: Map<TaskGroup, Verdicts> = new Map();
  /** Slots, by group. */
  readonly #placed: Map<string, number[]> = new Map();
  #ground: { readonly room: Room; readonly holdings: HoldingsOverlay } | undefined = undefined;
  #seed: number | undefined = undefined;
  readonly #touched: number[] = [];
  #evictions: Evictions | undefined = undefined;

  constructor(view: StateView, evaluation: Evaluation, jobView: JobView, context: SchedulerContext) {
    this.view = view;
    this.evaluation = evaluation;
    this.context = context;
    this.jobView = jobView;
    this.job = jobView.job;
    this.#cache = context.cache ?? new VerdictCache();
    this.scratch.reuse();
    this.draft = new Draft(view, evaluation, jobView.job, context, this.scratch);
    this.distinct = new JobDistinct(jobView.job, view.nodes, this.scratch);
  }

  get scratch(): Scratch {
    return this.#cache.scratch;
  }

  get room(): Room {
    return this.#open().room;
  }

  get holdings(): HoldingsOverlay {
    return this.#open().holdings;
  }

  /** Chooses ports and devices for the group's allocations. */
  claimant(group: TaskGroup): Claimant {
    // A seed of its own only where ports are chosen: the random numbers of other plans stay the same.
    const seed = claimAskOf(group).dynamicPorts > 0 ? this.#drawSeed() : 0;
    return new Claimant(group, this.view.nodes, this.holdings, seed);
  }

  get surroundings(): Surroundings {
    this.#seed ??= this.#drawSeed();
    const { scratch } = this;
    return { nodes: this.view.nodes, room: this.room, seed: this.#seed, touched: this.#touched, scratch };
  }

  /** Starts timing; gives the nanoseconds since. */
  stopwatch(): () => number {
    const { stopwatch } = this.context;
    if (stopwatch === undefined) return () => 0;
    const start = stopwatch();
    return () => Math.max(0, Math.round(stopwatch() - start));
  }

  /** `version`: the job that the group is of, when it is not the job as it is. */
  verdicts(group: TaskGroup, version: Job = this.job): Verdicts {
    let verdicts = this.#verdicts.get(group);
    if (verdicts === undefined) {
      verdicts = this.#cache.of(version, group, this.view.nodes);
      this.#verdicts.set(group, verdicts);
    }
    return verdicts;
  }

  /** What an older version of the job asks of where its allocations stand, with all that run on and are placed so far. */
  distinctOf(version: Job): JobDistinct {
    const distinct = new JobDistinct(version, this.view.nodes, this.scratch);
    const stopped = new Set(this.draft.stopped);
    const counted = [...this.jobView.allocations].filter((it) => !it.terminal && !stopped.has(it));
    for (const { TaskGroup, NodeID } of counted) distinct.add(TaskGroup, this.view.nodes.slot(NodeID));
    for (const [group, slots] of this.#placed) for (const slot of slots) distinct.add(group, slot);
    return distinct;
  }

  /** Notes a placement. Those of an older version count for the job as it is, too. */
  placed(group: string, slot: number, version: Job | undefined): void {
    const slots = this.#placed.get(group);
    if (slots === undefined) this.#placed.set(group, [slot]);
    else slots.push(slot);
    if (version !== undefined) this.distinct.add(group, slot);
  }

  /** The job's pool may have its own. */
  get algorithm(): Algorithm {
    const ofPool = this.view.nodePools.get(this.job.NodePool)?.SchedulerConfiguration?.SchedulerAlgorithm;
    const name = ofPool || this.view.schedulerConfiguration.SchedulerAlgorithm;
    return name === "spread" ? "spread" : "binpack";
  }

  affinity(group: TaskGroup, version: Job = this.job): NodeAffinity | undefined {
    return this.#cache.affinity(version, group, this.view.nodes);
  }

  /** Undefined when the group has no spread blocks. */
  spreads(group: TaskGroup, version: Job = this.job): Spreads | undefined {
    const blocks = [...group.Spreads, ...version.Spreads];
    if (blocks.length === 0) return undefined;
    const total = blocks.reduce((sum, { Weight }) => sum + (Weight ?? SPREAD_WEIGHT), 0);
    const made = blocks.map((block) => {
      const share = total === 0 ? 0 : (block.Weight ?? SPREAD_WEIGHT) / total;
      return createSpreadBlock(block, this.#cache.spreadValues(block.Attribute), group.Count ?? 1, share);
    });
    return new Spreads(made, this.view.nodes);
  }

  /** What the plan evicts; undefined when jobs of this type may not. */
  get evictions(): Evictions | undefined {
    if (!mayPreempt(this.view.schedulerConfiguration, this.job.Type)) return undefined;
    this.#evictions ??= new Evictions(this.view.nodes, this.job, this.room, this.holdings);
    return this.#evictions;
  }

  candidates(group: TaskGroup, version: Job = this.job): Candidates {
    return new Candidates(this.view.nodes, this.verdicts(group, version), version.NodePool);
  }

  /** What is free once all stops drafted so far are done. Made when first asked for: a pass that only stops things needs none. */
  #open(): { readonly room: Room; readonly holdings: HoldingsOverlay } {
    if (this.#ground === undefined) {
      const room = new Room(this.view.nodes, this.scratch);
      this.context.underway?.takeFrom(room, this.view.nodes);
      const holdings = new HoldingsOverlay(this.view.nodes, (length) => this.scratch.ints(length));
      for (const { NodeID, Ask, Claims } of this.draft.stopped) {
        const slot = this.view.nodes.slot(NodeID);
        room.free(slot, Ask);
        holdings.free(slot, Claims);
      }
      this.#ground = { room, holdings };
    }
    return this.#ground;
  }

  #drawSeed(): number {
    return Math.floor(this.context.random.fraction() * 0x1_0000_0000);
  }

  /** The group may run on the node, whether or not the node takes new placements. */
  isFeasible(group: TaskGroup, nodeId: string): boolean {
    const slot = this.view.nodes.slot(nodeId);
    return slot >= 0 && this.verdicts(group).codes[slot] === FEASIBLE;
  }
}

/** Of a spread block that names none. */
const SPREAD_WEIGHT = 50;
