// How a job's allocations and children are counted in its summary.
import { type JobSummary, TaskGroupSummary } from "@steppe/proto";

const BUCKETS: Readonly<Record<string, "Starting" | "Running" | "Complete" | "Failed" | "Lost" | "Unknown">> = {
  pending: "Starting",
  running: "Running",
  complete: "Complete",
  failed: "Failed",
  lost: "Lost",
  unknown: "Unknown",
};

export function countAs(group: TaskGroupSummary, status: string, by: 1 | -1): void {
  const bucket = BUCKETS[status];
  if (bucket !== undefined) group[bucket] += by;
}

export const CHILD_BUCKETS: Readonly<Record<string, "Pending" | "Running" | "Dead">> = {
  pending: "Pending",
  running: "Running",
  dead: "Dead",
};

/** As it is, for another index: counted on by itself. */
export function copySummary(summary: JobSummary, ModifyIndex: number): JobSummary {
  const { Children } = summary;
  const Summary: JobSummary["Summary"] = {};
  for (const group in summary.Summary) Summary[group] = { ...(summary.Summary[group] as TaskGroupSummary) };
  return { ...summary, Summary, Children: Children && { ...Children }, ModifyIndex };
}

/** Made when the group has none yet. */
export function groupSummary(summary: JobSummary, group: string): TaskGroupSummary {
  let found = summary.Summary[group];
  if (found === undefined) {
    found = TaskGroupSummary.create();
    summary.Summary[group] = found;
  }
  return found;
}
