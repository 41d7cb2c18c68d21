import type { Job, SchedulerConfiguration } from "@steppe/proto";
import type { AllocationView, HoldingsOverlay, NodeColumns } from "@steppe/state";
import type { Room } from "../room.ts";
import type { Ground } from "./ground.ts";
import { chooseVictims } from "./victims.ts";

/** Only allocations whose priority is at least so much lower may be evicted. */
const PRIORITY_GAP = 10;

/** Whether operators let jobs of a type evict others. */
export function mayPreempt({ PreemptionConfig: config }: SchedulerConfiguration, type: string): boolean {
  switch (type) {
    case "service":
      return config?.ServiceSchedulerEnabled ?? false;
    case "batch":
      return config?.BatchSchedulerEnabled ?? false;
    case "system":
      return config?.SystemSchedulerEnabled ?? false;
    case "sysbatch":
      return config?.SysBatchSchedulerEnabled ?? false;
    default:
      return false;
  }
}

/** The allocations of other jobs that one plan evicts. */
export class Evictions {
  readonly #nodes: NodeColumns;
  readonly #job: Job;
  readonly #room: Room;
  readonly #holdings: HoldingsOverlay;
  readonly #evicted: Set<AllocationView> = new Set();
  /** By job and group: how many of it. */
  readonly #counts: Map<string, number> = new Map();

  constructor(nodes: NodeColumns, job: Job, room: Room, holdings: HoldingsOverlay) {
    this.#nodes = nodes;
    this.#job = job;
    this.#room = room;
    this.#holdings = holdings;
  }

  /** What has to go for one more to fit on a node; undefined when it cannot be made to. The ground is as it was afterwards. */
  victims(slot: number, ground: Ground): readonly AllocationView[] | undefined {
    const candidates = [...(this.#nodes.allocations[slot] ?? [])].filter((it) => this.#mayEvict(it));
    return candidates.length === 0
      ? undefined
      : chooseVictims(ground, slot, candidates, (it) => this.#counts.get(groupKey(it)) ?? 0);
  }

  evict(slot: number, victims: readonly AllocationView[]): void {
    for (const victim of victims) {
      this.#evicted.add(victim);
      this.#counts.set(groupKey(victim), (this.#counts.get(groupKey(victim)) ?? 0) + 1);
      this.#room.free(slot, victim.Ask);
      this.#holdings.free(slot, victim.Claims);
    }
  }

  #mayEvict(allocation: AllocationView): boolean {
    const { Job: job } = allocation;
    return job.Priority <= this.#job.Priority - PRIORITY_GAP && !allocation.terminal && !this.#evicted.has(allocation);
  }
}

function groupKey({ Namespace, JobID, TaskGroup }: AllocationView): string {
  return `${Namespace}/${JobID}/${TaskGroup}`;
}
