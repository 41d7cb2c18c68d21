import type { DeploymentState, DesiredUpdates, Job, RescheduleTracker, TaskGroup } from "@steppe/proto";
import type { AllocationView } from "@steppe/state";
import type { StopReason } from "../plan/stop-reasons.ts";

export interface Stop {
  readonly allocation: AllocationView;
  readonly reason: StopReason;
}

/** An allocation that is to be placed. */
export interface Wanted {
  readonly nameIndex: number;
  readonly previous?: AllocationView;
  readonly tracker?: RescheduleTracker | undefined;
  /** Takes effect only together with the placement. */
  readonly stop?: Stop;
  /** Nodes better not taken again. */
  readonly penalisedNodeIds?: readonly string[];
  /** Tried before the others are replaced. */
  readonly canary?: boolean;
  /** What it runs, when that is not the job as it is. */
  readonly version?: Job;
}

/** Its predecessor runs until it is placed, and what that one holds is free for it. */
export function bringsRoom({ stop }: Wanted): boolean {
  return stop !== undefined && !stop.allocation.terminal;
}

/** The running allocations that others are to replace. */
export function replacedBy(wanted: readonly Wanted[]): AllocationView[] {
  return wanted.filter(bringsRoom).map(({ stop }) => (stop as Stop).allocation);
}

/** An allocation that is to be looked at again at a time, unix nanoseconds. */
export interface Later {
  readonly allocation: AllocationView;
  readonly at: number;
}

/** What a group needs to become what its job says. */
export interface GroupChanges {
  readonly group: TaskGroup;
  readonly stops: readonly Stop[];
  readonly inPlace: readonly AllocationView[];
  /** Allocations that stay as they are or in place, for what they occupy. */
  readonly staying: readonly AllocationView[];
  /** Those that replace a running one first: they may use what it frees. */
  readonly wanted: readonly Wanted[];
  /** Failed ones that are to be replaced later, and lost ones that their nodes may still be stopping. */
  readonly later: readonly Later[];
  /** Allocations that are unknown from now on. */
  readonly disconnects: readonly AllocationView[];
  /** When unknown ones are to be given up for lost. */
  readonly timeouts: readonly Later[];
  /** Of those that stay: were unknown, and are not any more. */
  readonly reconnects: readonly AllocationView[];
  /** Destructive updates that have to wait. */
  readonly heldBack: number;
  /** The group's part of a deployment that is to begin. */
  readonly begun: DeploymentState | undefined;
  /** The deployment under way has nothing left to do here. */
  readonly complete: boolean;
  readonly desired: DesiredUpdates;
}
