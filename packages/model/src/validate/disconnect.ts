import type { DisconnectStrategy } from "@steppe/proto";

const RECONCILE = ["", "best_score", "keep_original", "keep_replacement", "longest_running"];

export function validateDisconnect(disconnect: DisconnectStrategy | undefined, jobType: string): string[] {
  if (disconnect === undefined) return [];
  const { LostAfter, StopOnClientAfter, Reconcile = "" } = disconnect;
  const errors: string[] = [];
  if (StopOnClientAfter !== undefined) {
    if (jobType !== "service" && jobType !== "batch") {
      errors.push("stop_after can only be used with service or batch job types");
    }
    if (StopOnClientAfter < 0) errors.push("stop_after cannot be a negative duration");
    if (LostAfter !== undefined) errors.push("Disconnect cannot be configured with both lost_after and stop_after");
  }
  if ((LostAfter ?? 0) < 0) errors.push("lost_after cannot be a negative duration");
  if (!RECONCILE.includes(Reconcile)) errors.push("reconcile option is invalid");
  return errors;
}
