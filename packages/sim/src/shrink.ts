import type { Fault } from "./faults/faults.ts";
import { type Plan, type RunOptions, type RunResult, run } from "./run.ts";

export interface Shrunk {
  readonly plan: Plan;
  readonly result: RunResult;
  readonly runs: number;
}

/** Runs tried at most. */
const RUNS_MAX = 60;

/**
 * The plan with as few faults as still fail the same check: whole halves are left out first, then one at a time. Leaving
 * one out changes what comes after it, so the outcome is small, but seldom the smallest.
 */
export async function shrink(plan: Plan, failed: RunResult, options: RunOptions = {}): Promise<Shrunk> {
  const check = failed.failures[0]?.check;
  let best: Shrunk = { plan, result: failed, runs: 0 };
  let runs = 0;
  const tries = async (faults: readonly Fault[]): Promise<boolean> => {
    if (runs >= RUNS_MAX) return false;
    runs += 1;
    const smaller = { ...plan, faults };
    const result = await run(smaller, options);
    if (result.failures[0]?.check !== check) return false;
    best = { plan: smaller, result, runs };
    return true;
  };
  for (let size = Math.ceil(plan.faults.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < best.plan.faults.length; ) {
      const { faults } = best.plan;
      const left = [...faults.slice(0, from), ...faults.slice(from + size)];
      if (!(await tries(left))) from += size;
    }
  }
  return { ...best, runs };
}
