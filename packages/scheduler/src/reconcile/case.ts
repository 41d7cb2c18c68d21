import { type NextReschedule, nextReschedule } from "@steppe/model";
import type { Evaluation, Job, Node, TaskGroup } from "@steppe/proto";
import type { AllocationView, StateView } from "@steppe/state";
import { disconnectOf } from "./disconnect.ts";
import { failureTime } from "./failure-time.ts";
import type { GroupRollout } from "./rollout.ts";
import type { Updates } from "./updates.ts";

/** What the rules look at beside the allocation, the same for all allocations of a group. */
export interface GroupCase {
  readonly view: StateView;
  readonly evaluation: Evaluation;
  readonly job: Job;
  /** Undefined when the job no longer has the group, or is stopped. */
  readonly group: TaskGroup | undefined;
  readonly updates: Updates;
  readonly rollout: GroupRollout;
  /** Unix nanoseconds. */
  readonly now: number;
}

/** One allocation before the rules. */
export class Case {
  readonly allocation: AllocationView;
  readonly of: GroupCase;
  #next: NextReschedule | undefined = undefined;

  constructor(allocation: AllocationView, of: GroupCase) {
    this.allocation = allocation;
    this.of = of;
  }

  get wanted(): boolean {
    return this.of.group !== undefined;
  }

  get isBatch(): boolean {
    return this.of.job.Type === "batch";
  }

  get isTold(): boolean {
    return this.allocation.DesiredStatus !== "run";
  }

  get hasFailed(): boolean {
    return this.allocation.ClientStatus === "failed";
  }

  /** Undefined when the node is gone. */
  get node(): Node | undefined {
    return this.of.view.nodes.get(this.allocation.NodeID);
  }

  /** Its node had gone without a word, and nobody has settled yet whether it runs on. */
  get isUnknown(): boolean {
    return this.allocation.UnknownSince !== 0;
  }

  /** How long its node may be gone, nanoseconds; 0 = it is lost at once. */
  get lostAfter(): number {
    return disconnectOf(this.allocation)?.LostAfter ?? 0;
  }

  /** Runs the job as it is now. */
  get isCurrent(): boolean {
    return this.of.updates.isCurrent(this.allocation);
  }

  /** When the policy of the job as it is now lets a failed allocation be replaced. */
  get next(): NextReschedule {
    const { group, now } = this.of;
    const { RescheduleTracker } = this.allocation;
    this.#next ??= nextReschedule(group?.ReschedulePolicy, RescheduleTracker, failureTime(this.allocation, now));
    return this.#next;
  }
}
