// What an allocation's status is, given its tasks'. Pure.
import type { TaskState } from "@steppe/proto";

export type ClientStatus = "pending" | "running" | "complete" | "failed";

export interface StatusAndReason {
  readonly status: ClientStatus;
  readonly description: string;
}

/** A failed task outweighs a running one, that one a pending one: the first row that holds decides. */
export function clientStatus(states: readonly TaskState[]): StatusAndReason {
  const has = (test: (state: TaskState) => boolean) => states.some(test);
  if (has((task) => task.State === "dead" && task.Failed)) return { status: "failed", description: "Failed tasks" };
  if (has((task) => task.State === "running")) return { status: "running", description: "Tasks are running" };
  if (has((task) => task.State === "pending")) return { status: "pending", description: "No tasks have started" };
  return { status: "complete", description: "All tasks have completed" };
}

export function isTerminal(status: string): boolean {
  return status === "complete" || status === "failed" || status === "lost";
}
