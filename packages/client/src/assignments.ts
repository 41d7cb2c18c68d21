// What is to be done about the allocations that the servers assign. Pure.
import type { AssignedAllocation, NodeAllocations } from "@steppe/proto";
import { isTerminal } from "./runner/client-status.ts";

/** What runs, or ran, here. */
export interface LocalAllocation {
  readonly id: string;
  /** AllocModifyIndex of what was last acted on. */
  readonly index: number;
  readonly terminal: boolean;
  readonly clientStatus: string;
}

export interface Changes {
  readonly start: readonly AssignedAllocation[];
  readonly update: readonly AssignedAllocation[];
  readonly stop: readonly AssignedAllocation[];
  /** Stop, and forget. */
  readonly forget: readonly string[];
  /** The servers' view is behind: tell again. */
  readonly tell: readonly string[];
}

export function decideChanges(message: NodeAllocations, local: ReadonlyMap<string, LocalAllocation>): Changes {
  const start: AssignedAllocation[] = [];
  const update: AssignedAllocation[] = [];
  const stop: AssignedAllocation[] = [];
  const tell: string[] = [];
  for (const assigned of message.Allocations) {
    const here = local.get(assigned.ID);
    const run = assigned.DesiredStatus === "run";
    if (here === undefined) {
      if (run && !isTerminal(assigned.ClientStatus)) start.push(assigned);
      continue;
    }
    // Unknown to the servers: they had given the node up for a time, and wait to hear of it.
    const isAsked = message.Full || assigned.ClientStatus === "unknown";
    if (isAsked && here.clientStatus !== assigned.ClientStatus) tell.push(here.id);
    if (here.terminal || assigned.AllocModifyIndex < here.index) continue;
    if (!run) stop.push(assigned);
    else if (assigned.AllocModifyIndex > here.index) update.push(assigned);
  }
  return { start, update, stop, tell, forget: forgotten(message, local) };
}

function forgotten(message: NodeAllocations, local: ReadonlyMap<string, LocalAllocation>): string[] {
  const forget = message.RemovedIDs.filter((id) => local.has(id));
  if (!message.Full) return forget;
  const listed = new Set(message.Allocations.map((assigned) => assigned.ID));
  const unlisted = [...local.keys()].filter((id) => !listed.has(id));
  return [...new Set([...forget, ...unlisted])];
}
