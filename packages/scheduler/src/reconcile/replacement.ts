import { nextReschedule, trackReschedule } from "@steppe/model";
import { RescheduleEvent } from "@steppe/proto";
import type { AllocationView } from "@steppe/state";
import { STOP } from "../plan/stop-reasons.ts";
import type { GroupCase } from "./case.ts";
import type { Wanted } from "./changes.ts";
import { failureTime } from "./failure-time.ts";

/** What takes the place of a failed or lost allocation. Only failures count as attempts of the reschedule policy. */
export function replacementOf(previous: AllocationView, nameIndex: number, of: GroupCase): Wanted {
  if (previous.ClientStatus !== "failed") return { nameIndex, previous, tracker: previous.RescheduleTracker };
  const past = previous.RescheduleTracker?.Events ?? [];
  const tracker = trackReschedule(of.group?.ReschedulePolicy, previous.RescheduleTracker, eventOf(previous, of));
  return {
    nameIndex,
    previous,
    tracker,
    ...(previous.DesiredStatus === "run" ? { stop: { allocation: previous, reason: STOP.rescheduled } } : {}),
    penalisedNodeIds: [previous.NodeID, ...past.map(({ PrevNodeID }) => PrevNodeID)],
  };
}

/** When the delay of a failed allocation is over, unix nanoseconds. */
export function dueTime(allocation: AllocationView, of: GroupCase): number {
  return nextOf(allocation, of).at;
}

function eventOf(previous: AllocationView, of: GroupCase): RescheduleEvent {
  return RescheduleEvent.create({
    RescheduleTime: of.now,
    PrevAllocID: previous.ID,
    PrevNodeID: previous.NodeID,
    Delay: nextOf(previous, of).delay,
  });
}

function nextOf(allocation: AllocationView, { group, now }: GroupCase): ReturnType<typeof nextReschedule> {
  return nextReschedule(group?.ReschedulePolicy, allocation.RescheduleTracker, failureTime(allocation, now));
}
