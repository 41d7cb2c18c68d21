import type { Random } from "@steppe/model";
import { type AllocMetric, Placements, type RescheduleTracker } from "@steppe/proto";
import type { NodeColumns } from "@steppe/state";

/** What a row says beside its place. */
export interface RowExtras {
  readonly previousId?: string | undefined;
  readonly tracker?: RescheduleTracker | undefined;
  readonly canary?: boolean | undefined;
}

/** The placements of one task group, gathered as the columns of a plan. */
export class Rows {
  readonly #placements: Placements;
  readonly #nodes: NodeColumns;
  /** By slot: position in NodeIDs, -1 when not there. */
  readonly #positions: Int32Array;

  /** `version`: of the job, when it is not the plan's. */
  constructor(group: string, nodes: NodeColumns, version?: number) {
    this.#placements = Placements.create({ TaskGroup: group });
    if (version !== undefined) this.#placements.JobVersion = version;
    this.#nodes = nodes;
    this.#positions = new Int32Array(nodes.length).fill(-1);
  }

  get length(): number {
    return this.#placements.NameIndexes.length;
  }

  /** Shared by the rows. */
  explain(metric: AllocMetric): void {
    this.#placements.Metrics = metric;
  }

  add(nameIndex: number, slot: number, score: number, { previousId, tracker, canary }: RowExtras = NO_EXTRAS): void {
    const row = this.#placements.NameIndexes.push(nameIndex) - 1;
    this.#placements.Nodes.push(this.#positionOf(slot));
    this.#placements.Scores.push(score);
    if (previousId !== undefined) this.#placements.PreviousAllocations[row] = previousId;
    if (tracker !== undefined) this.#placements.RescheduleTrackers[row] = tracker;
    if (canary === true) this.#placements.Canaries.push(row);
  }

  /** The columns, with an id for each row. */
  finish(random: Random): Placements {
    this.#placements.AllocIDs = random.bytes(16 * this.length);
    return this.#placements;
  }

  #positionOf(slot: number): number {
    let position = this.#positions[slot] as number;
    if (position === -1) {
      position = this.#placements.NodeIDs.push(this.#nodes.nodes[slot]?.ID ?? "") - 1;
      this.#positions[slot] = position;
    }
    return position;
  }
}

const NO_EXTRAS: RowExtras = {};
