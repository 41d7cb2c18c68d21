import type { AllocationView } from "@steppe/state";

/** Steepness and middle of the curve below. */
const RATE = 0.0048;
const ORIGIN = 2048;

/** Between 0 and 1; the fewer are evicted and the lower their priorities, the nearer to 1. */
export function preemptionScore(victims: readonly AllocationView[]): number {
  let highest = 0;
  let sum = 0;
  for (const { Job } of victims) {
    highest = Math.max(highest, Job.Priority);
    sum += Job.Priority;
  }
  const net = highest === 0 ? 0 : highest + sum / highest;
  return 1 / (1 + Math.exp(RATE * (net - ORIGIN)));
}
