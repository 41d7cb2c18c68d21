import type { CommandKind } from "./proposals.ts";

/**
 * Whether a command may wait a little for others, to share their entry. An entry costs each replica and each NATS
 * node a message, a sync and a few wake-ups, whatever is in it; and while it is under way, what a client waits for
 * waits behind it. So what agents report and what the leader notes goes with what somebody waits for, where
 * there is such. (The peer gathers such reports for 50 ms always, and its agents for 200.)
 */
export function isPatient(kind: CommandKind): boolean {
  switch (kind.$case) {
    case "ReportAllocations":
    case "UpdateAllocations":
    case "AdvanceDeployments":
      return true;
    case "ClaimLease":
      // A renewal. Whoever claims a lease that has run out holds up all duties.
      return kind.value.Term > 0;
    default:
      return false;
  }
}
