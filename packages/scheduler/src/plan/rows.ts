import { type ClaimAsk, claimAskOf, type Random } from "@steppe/model";
import { type AllocMetric, Placements, type RescheduleTracker, type TaskGroup } from "@steppe/proto";
import type { AllocationView, NodeColumns } from "@steppe/state";
import type { Taken } from "../claims/claimant.ts";
import type { Scratch } from "../scratch.ts";

/** What a row says beside its place. */
export interface RowExtras {
  readonly previousId?: string | undefined;
  readonly tracker?: RescheduleTracker | undefined;
  readonly canary?: boolean | undefined;
  readonly claims?: Taken | undefined;
  readonly victims?: readonly AllocationView[] | undefined;
}

/** The placements of one task group, gathered as the columns of a plan. */
export class Rows {
  readonly #placements: Placements;
  readonly #ask: ClaimAsk;
  readonly #nodes: NodeColumns;
  /** By slot: position in NodeIDs, -1 when not there. */
  readonly #positions: Int32Array;

  /** `version`: of the job, when it is not the plan's. */
  constructor(group: TaskGroup, nodes: NodeColumns, scratch: Scratch, version?: number) {
    this.#placements = Placements.create({ TaskGroup: group.Name });
    if (version !== undefined) this.#placements.JobVersion = version;
    this.#ask = claimAskOf(group);
    this.#nodes = nodes;
    this.#positions = scratch.ints(nodes.length, -1);
  }

  get group(): string {
    return this.#placements.TaskGroup;
  }

  /** Allocations that its rows evict. */
  get evictions(): number {
    return Object.values(this.#placements.Evictions).reduce((sum, { AllocIDs }) => sum + AllocIDs.length, 0);
  }

  get length(): number {
    return this.#placements.NameIndexes.length;
  }

  /** Shared by the rows. */
  explain(metric: AllocMetric): void {
    this.#placements.Metrics = metric;
  }

  add(nameIndex: number, slot: number, score: number, extras: RowExtras = NO_EXTRAS): void {
    const { previousId, tracker, canary, claims, victims } = extras;
    const row = this.#placements.NameIndexes.push(nameIndex) - 1;
    this.#placements.Nodes.push(this.#positionOf(slot));
    this.#placements.Scores.push(score);
    if (previousId !== undefined) this.#placements.PreviousAllocations[row] = previousId;
    if (tracker !== undefined) this.#placements.RescheduleTrackers[row] = tracker;
    if (canary === true) this.#placements.Canaries.push(row);
    if (victims !== undefined && victims.length > 0) {
      this.#placements.Evictions[row] = { AllocIDs: victims.map(({ ID }) => ID) };
    }
    if (claims !== undefined) this.#addClaims(claims);
  }

  /** Of the ports only those that the group leaves open. */
  #addClaims({ Ports, Devices, Cores }: Taken): void {
    const asks = this.#ask.ports;
    for (let i = 0; i < asks.length; i++) {
      if (asks[i]?.value === 0) this.#placements.DynamicPorts.push(Ports[i] as number);
    }
    if (Devices.length > 0) this.#placements.Devices.push({ Devices });
    for (const core of Cores) this.#placements.Cores.push(core);
  }

  /** The columns, with an id for each row. */
  finish(random: Random): Placements {
    this.#placements.AllocIDs = random.bytes(16 * this.length);
    return this.#placements;
  }

  #positionOf(slot: number): number {
    let position = this.#positions[slot] as number;
    if (position === -1) {
      position = this.#placements.NodeIDs.push(this.#nodes.ids[slot] as string) - 1;
      this.#positions[slot] = position;
    }
    return position;
  }
}

const NO_EXTRAS: RowExtras = {};
