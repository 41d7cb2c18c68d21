import { formatId } from "@steppe/model";
import type { Placements, Plan, TaskGroup } from "@steppe/proto";
import type { State } from "../state.ts";
import { type AllocationState, type Ask, askOf, groupOf } from "../tables/allocations.ts";
import type { JobState } from "../tables/jobs.ts";

/** One accepted row of a plan. */
export interface Row {
  readonly id: string;
  readonly group: TaskGroup;
  readonly placements: Placements;
  readonly row: number;
  readonly nameIndex: number;
  readonly nodeId: string;
}

export interface CheckedPlan {
  readonly rows: readonly Row[];
  readonly rejectedNodes: ReadonlySet<string>;
}

/**
 * Decides which placements of a plan take effect, in the state at this point of the log: the node
 * is there, takes placements and has room once the plan's own stops are done; the allocation's
 * name is free; its id is new. This, and not the worker, is what keeps nodes from being
 * over-committed and names from being doubled.
 */
export function checkPlan(
  state: State,
  job: JobState,
  plan: Plan,
  stopped: ReadonlySet<AllocationState>,
  disconnected: ReadonlySet<AllocationState>,
): CheckedPlan {
  const spec = job.job;
  const room = new Room(state, stopped);
  const names = new Names(state, job, stopped, disconnected);
  const rows: Row[] = [];
  const rejectedNodes = new Set<string>();
  for (const placements of plan.Placements) {
    const group = groupOf(spec, placements.TaskGroup);
    if (group === undefined) continue;
    const ask = askOf(group);
    for (let row = 0; row < placements.NameIndexes.length; row++) {
      const nodeId = placements.NodeIDs[placements.Nodes[row] ?? -1] ?? "";
      const nameIndex = placements.NameIndexes[row] as number;
      const id = formatId(placements.AllocIDs, 16 * row);
      const slot = state.nodes.slot(nodeId);
      const fits = slot >= 0 && state.nodes.usable[slot] === 1 && room.fits(slot, ask);
      if (fits && state.allocations.get(id) === undefined && names.take(group.Name, nameIndex, slot)) {
        room.take(slot, ask);
        rows.push({ id, group, placements, row, nameIndex, nodeId });
      } else {
        rejectedNodes.add(nodeId);
      }
    }
  }
  return { rows, rejectedNodes };
}

/** Free resources a node, as the plan fills them. */
class Room {
  readonly #state: State;
  /** By slot: cpu, memory and disk taken by the plan so far; negative where its stops free more. */
  readonly #taken: Map<number, [number, number, number]> = new Map();

  constructor(state: State, stopped: ReadonlySet<AllocationState>) {
    this.#state = state;
    for (const { NodeID, Ask } of stopped) {
      const slot = state.nodes.slot(NodeID);
      if (slot >= 0) this.#add(slot, Ask, -1);
    }
  }

  fits(slot: number, ask: Ask): boolean {
    const { nodes } = this.#state;
    const [cpu, memory, disk] = this.#taken.get(slot) ?? NOTHING;
    return (
      (nodes.usedCpu[slot] as number) + cpu + ask.cpu <= (nodes.cpu[slot] as number) &&
      (nodes.usedMemory[slot] as number) + memory + ask.memoryMb <= (nodes.memory[slot] as number) &&
      (nodes.usedDisk[slot] as number) + disk + ask.diskMb <= (nodes.disk[slot] as number)
    );
  }

  take(slot: number, ask: Ask): void {
    this.#add(slot, ask, 1);
  }

  #add(slot: number, ask: Ask, times: 1 | -1): void {
    const [cpu, memory, disk] = this.#taken.get(slot) ?? NOTHING;
    this.#taken.set(slot, [cpu + times * ask.cpu, memory + times * ask.memoryMb, disk + times * ask.diskMb]);
  }
}

const NOTHING: readonly [number, number, number] = [0, 0, 0];

/**
 * Allocation names in use. Service and batch jobs have one allocation a name; system jobs have one
 * a node and group, all named alike.
 */
class Names {
  readonly #job: JobState;
  readonly #state: State;
  readonly #stopped: ReadonlySet<AllocationState>;
  readonly #perNode: boolean;
  readonly #freed: Set<string> = new Set();
  readonly #taken: Set<string> = new Set();

  /** What is disconnected leaves its name to a replacement. */
  constructor(
    state: State,
    job: JobState,
    stopped: ReadonlySet<AllocationState>,
    disconnected: ReadonlySet<AllocationState>,
  ) {
    this.#state = state;
    this.#job = job;
    this.#stopped = stopped;
    this.#perNode = job.job.Type === "system" || job.job.Type === "sysbatch";
    for (const allocation of [...stopped, ...disconnected]) {
      if (!allocation.holdsName) continue;
      if (allocation.JobID === job.job.ID && allocation.Namespace === job.job.Namespace) {
        this.#freed.add(`${allocation.TaskGroup}[${allocation.NameIndex}]`);
      }
    }
  }

  take(group: string, nameIndex: number, slot: number): boolean {
    const name = this.#perNode ? `${group}@${slot}` : `${group}[${nameIndex}]`;
    const held = this.#perNode ? this.#heldOnNode(group, slot) : this.#held(group, nameIndex, name);
    if (held || this.#taken.has(name)) return false;
    this.#taken.add(name);
    return true;
  }

  #held(group: string, nameIndex: number, name: string): boolean {
    return this.#job.names.get(group)?.has(nameIndex) === true && !this.#freed.has(name);
  }

  #heldOnNode(group: string, slot: number): boolean {
    for (const allocation of this.#state.nodes.allocations[slot] ?? []) {
      if (allocation.terminal || this.#stopped.has(allocation) || allocation.TaskGroup !== group) continue;
      if (allocation.JobID === this.#job.job.ID && allocation.Namespace === this.#job.job.Namespace) return true;
    }
    return false;
  }
}
