import { formatId } from "@steppe/model";
import type { Claims, Job, Node, Placements, Plan, TaskGroup } from "@steppe/proto";
import type { State } from "../state.ts";
import { type AllocationState, type Ask, askOf, groupOf } from "../tables/allocations.ts";
import type { JobState } from "../tables/jobs.ts";
import { ClaimCheck } from "./check-claims.ts";

/** One accepted row of a plan. */
export interface Row {
  readonly id: string;
  /** The version it runs. */
  readonly version: Job;
  readonly group: TaskGroup;
  readonly placements: Placements;
  readonly row: number;
  readonly nameIndex: number;
  readonly slot: number;
  /** The node table's own text: a plan brings one of its own, which its allocations would keep. */
  readonly nodeId: string;
  readonly claims: Claims | undefined;
  /** Allocations that make room for it. */
  readonly victims: readonly AllocationState[];
}

export interface CheckedPlan {
  readonly rows: readonly Row[];
  readonly rejectedNodes: ReadonlySet<string>;
}

/**
 * Decides which placements of a plan take effect, in the state at this point of the log: the node
 * is there, takes placements and has room once the plan's own stops and the row's evictions are
 * done; the ports and devices that the row names are free there; the allocation's name is free; its
 * id is new. This, and not the worker, is what keeps nodes from being over-committed and names from
 * being doubled.
 */
export function checkPlan(
  state: State,
  job: JobState,
  plan: Plan,
  stopped: ReadonlySet<AllocationState>,
  disconnected: ReadonlySet<AllocationState>,
): CheckedPlan {
  const room = new Room(state, stopped);
  const claiming = new ClaimCheck(state, stopped);
  const names = new Names(state, job, stopped, disconnected);
  const rows: Row[] = [];
  const rejectedNodes = new Set<string>();
  const gone = new Set(stopped);
  for (const placements of plan.Placements) {
    const version = placements.JobVersion === undefined ? job.job : job.version(placements.JobVersion);
    const group = version && groupOf(version, placements.TaskGroup);
    if (version === undefined || group === undefined) continue;
    const ask = askOf(group);
    for (let row = 0; row < placements.NameIndexes.length; row++) {
      const nodeId = placements.NodeIDs[placements.Nodes[row] ?? -1] ?? "";
      const nameIndex = placements.NameIndexes[row] as number;
      const id = formatId(placements.AllocIDs, 16 * row);
      const slot = state.nodes.slot(nodeId);
      const victims = victimsOf(state, placements, row, nodeId, gone);
      room.free(slot, victims);
      claiming.free(slot, victims);
      const fits = slot >= 0 && state.nodes.usable[slot] === 1 && room.fits(slot, ask);
      const claimed = fits ? claiming.read(group, placements, row, slot) : "refused";
      if (
        claimed !== "refused" &&
        state.allocations.get(id) === undefined &&
        names.take(group.Name, nameIndex, slot, isCanaryRow(placements, row))
      ) {
        room.take(slot, ask);
        claiming.take(slot, claimed.claims);
        for (const victim of victims) gone.add(victim);
        const node = (state.nodes.nodes[slot] as Node).ID;
        const { claims } = claimed;
        rows.push({ id, version, group, placements, row, nameIndex, slot, nodeId: node, claims, victims });
      } else {
        room.restore(slot, victims);
        claiming.restore(slot, victims);
        rejectedNodes.add(nodeId);
      }
    }
  }
  return { rows, rejectedNodes };
}

export function isCanaryRow({ Canaries }: Placements, row: number): boolean {
  return Canaries.length > 0 && Canaries.includes(row);
}

/** What a row evicts, as far as it still holds room on the row's node. */
function victimsOf(
  state: State,
  { Evictions }: Placements,
  row: number,
  nodeId: string,
  gone: ReadonlySet<AllocationState>,
): readonly AllocationState[] {
  const evicted = Evictions[row];
  if (evicted === undefined) return NO_VICTIMS;
  return evicted.AllocIDs.map((id) => state.allocations.get(id)).filter(
    (it) => it !== undefined && !it.terminal && it.NodeID === nodeId && !gone.has(it),
  ) as AllocationState[];
}

const NO_VICTIMS: readonly AllocationState[] = [];

/** Free resources a node, as the plan fills them. */
class Room {
  readonly #state: State;
  /** By slot: what the plan takes so far; negative where its stops free more. */
  readonly #taken: Map<number, Use> = new Map();

  constructor(state: State, stopped: ReadonlySet<AllocationState>) {
    this.#state = state;
    for (const { NodeID, Ask } of stopped) {
      const slot = state.nodes.slot(NodeID);
      if (slot >= 0) this.#add(slot, Ask, -1);
    }
  }

  fits(slot: number, ask: Ask): boolean {
    const { nodes } = this.#state;
    const { cpu, memory, disk } = this.#taken.get(slot) ?? NOTHING;
    return (
      (nodes.usedCpu[slot] as number) + cpu + nodes.cpuOf(slot, ask) <= (nodes.cpu[slot] as number) &&
      (nodes.usedMemory[slot] as number) + memory + ask.memoryMb <= (nodes.memory[slot] as number) &&
      (nodes.usedDisk[slot] as number) + disk + ask.diskMb <= (nodes.disk[slot] as number)
    );
  }

  take(slot: number, ask: Ask): void {
    this.#add(slot, ask, 1);
  }

  free(slot: number, victims: readonly AllocationState[]): void {
    for (const { Ask } of victims) this.#add(slot, Ask, -1);
  }

  restore(slot: number, victims: readonly AllocationState[]): void {
    for (const { Ask } of victims) this.#add(slot, Ask, 1);
  }

  #add(slot: number, ask: Ask, times: 1 | -1): void {
    let use = this.#taken.get(slot);
    if (use === undefined) {
      use = { ...NOTHING };
      this.#taken.set(slot, use);
    }
    use.cpu += times * this.#state.nodes.cpuOf(slot, ask);
    use.memory += times * ask.memoryMb;
    use.disk += times * ask.diskMb;
  }
}

/** MHz, MB and MB. */
interface Use {
  cpu: number;
  memory: number;
  disk: number;
}

const NOTHING: Readonly<Use> = { cpu: 0, memory: 0, disk: 0 };

/**
 * Allocation names in use. Service and batch jobs have one allocation a name, and while a canary is
 * tried one more; system jobs have one a node and group, all named alike.
 */
class Names {
  readonly #job: JobState;
  readonly #state: State;
  readonly #stopped: ReadonlySet<AllocationState>;
  readonly #perNode: boolean;
  /** How many of a name the plan stops. */
  readonly #freed: Map<string, number> = new Map();
  readonly #canaries: Set<string>;
  /** By group: name indexes, or for jobs with one allocation a node their slots. */
  readonly #taken: Map<string, Set<number>> = new Map();

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
    const leaving = new Set([...stopped, ...disconnected]);
    this.#canaries = canaryNames(state, job, leaving);
    for (const allocation of leaving) {
      if (!allocation.holdsName) continue;
      if (allocation.JobID === job.job.ID && allocation.Namespace === job.job.Namespace) {
        const name = `${allocation.TaskGroup}[${allocation.NameIndex}]`;
        this.#freed.set(name, (this.#freed.get(name) ?? 0) + 1);
      }
    }
  }

  take(group: string, nameIndex: number, slot: number, isCanary: boolean): boolean {
    if (isCanary && !this.#perNode) return this.#takeCanary(`${group}[${nameIndex}]`);
    const held = this.#perNode ? this.#heldOnNode(group, slot) : this.#held(group, nameIndex);
    const taken = this.#takenOf(group);
    const place = this.#perNode ? slot : nameIndex;
    if (held || taken.has(place)) return false;
    taken.add(place);
    return true;
  }

  #takenOf(group: string): Set<number> {
    let taken = this.#taken.get(group);
    if (taken === undefined) {
      taken = new Set();
      this.#taken.set(group, taken);
    }
    return taken;
  }

  #held(group: string, nameIndex: number): boolean {
    const holders = this.#job.names.get(group)?.get(nameIndex) ?? 0;
    if (holders === 0) return false;
    const name = `${group}[${nameIndex}]`;
    const canary = Number(this.#canaries.has(name));
    return holders - canary > (this.#freed.get(name) ?? 0);
  }

  /** A canary shares its name with the allocation it is to replace, but with no other canary. */
  #takeCanary(name: string): boolean {
    if (this.#canaries.has(name)) return false;
    this.#canaries.add(name);
    return true;
  }

  #heldOnNode(group: string, slot: number): boolean {
    for (const allocation of this.#state.nodes.allocations[slot] ?? []) {
      if (allocation.terminal || this.#stopped.has(allocation) || allocation.TaskGroup !== group) continue;
      if (allocation.JobID === this.#job.job.ID && allocation.Namespace === this.#job.job.Namespace) return true;
    }
    return false;
  }
}

/** Whether a plan's reconnect may not have its name: another one has, which is not there as a canary beside it. */
export function isNameTaken(state: State, job: JobState, allocation: AllocationState): boolean {
  const { TaskGroup, NameIndex, isCanary } = allocation;
  const holders = job.names.get(TaskGroup)?.get(NameIndex) ?? 0;
  if (holders === 0) return false;
  const hasCanary = canaryNames(state, job, NOBODY).has(`${TaskGroup}[${NameIndex}]`);
  return isCanary ? hasCanary : holders > Number(hasCanary);
}

const NOBODY: ReadonlySet<AllocationState> = new Set();

/** Names that canaries have and go on to have. */
function canaryNames(state: State, { job }: JobState, leaving: ReadonlySet<AllocationState>): Set<string> {
  const names = new Set<string>();
  const entries = [...(state.deployments.ofJob(job.Namespace, job.ID)?.entries ?? [])];
  const groups = entries.flatMap(({ deployment }) => Object.values(deployment.TaskGroups));
  for (const id of groups.flatMap(({ PlacedCanaries }) => PlacedCanaries)) {
    const it = state.allocations.get(id);
    if (it?.isCanary !== true || !it.holdsName || leaving.has(it)) continue;
    names.add(`${it.TaskGroup}[${it.NameIndex}]`);
  }
  return names;
}
