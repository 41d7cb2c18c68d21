import { HeartbeatBatch } from "@steppe/proto";
import { Alarm } from "../alarm.ts";
import { SUBJECTS } from "../bus.ts";
import { HeartbeatTimers, type HeartbeatTiming, patienceMs, silentStatus } from "./decide.ts";
import type { HeartbeatNeeds } from "./needs.ts";

/** Marks nodes down, or disconnected, that were not heard of in time, during one term, until the signal aborts. */
export async function runHeartbeats(
  term: number,
  needs: HeartbeatNeeds,
  timing: HeartbeatTiming,
  signal: AbortSignal,
): Promise<void> {
  const { clock, view, bus, onApplied } = needs;
  const timers = new HeartbeatTimers();
  const alarm = new Alarm();

  const isTimed = (id: string): boolean => {
    const node = view.nodes.get(id);
    // A disconnected one is looked at again and again, until nothing on it may survive any longer.
    return node !== undefined && node.Status !== "down";
  };
  const heard = (id: string): void => {
    const nowMs = clock.monotonicMs();
    if (isTimed(id)) timers.set(id, nowMs + patienceMs(view.nodes.size, timing), nowMs);
  };
  const unsubscribe = onApplied(({ changes }) => {
    for (const id of changes.nodes) {
      if (!isTimed(id)) timers.delete(id);
      else if (!timers.has(id)) heard(id);
    }
    if (changes.nodes.size > 0) alarm.ring();
  });
  for (const id of view.nodes.slotOf.keys()) {
    if (isTimed(id)) timers.set(id, clock.monotonicMs() + timing.failoverMs, clock.monotonicMs());
  }
  const take = (payload: Uint8Array): void => {
    const dueMs = timers.nextDueMs();
    HeartbeatBatch.decode(payload).NodeIDs.forEach(heard);
    // After a failover, a node that is heard of is due sooner than one that is not.
    if (timers.nextDueMs() < dueMs) alarm.ring();
  };
  bus.subscribe(SUBJECTS.heartbeat, take, signal);
  while (!signal.aborted) {
    await alarm.wait(clock, timers.nextDueMs() - clock.monotonicMs(), signal);
    if (signal.aborted || timers.nextDueMs() > clock.monotonicMs()) continue;
    // What falls due within a moment goes into one command: a rack that lost power, say.
    await new Alarm().wait(clock, GATHER_MS, signal);
    const patience = patienceMs(view.nodes.size, timing);
    const missed = timers.takeDue(clock.monotonicMs(), patience);
    for (const status of ["down", "disconnected"] as const) {
      const silent = missed.filter((id) => silentStatus(view.nodes, id) === status);
      // Those that are so already are timed all the same.
      if (status === "disconnected") for (const id of silent) timers.set(id, clock.monotonicMs() + patience);
      const changed = silent.filter((id) => view.nodes.get(id)?.Status !== status);
      await mark(term, needs, timers, status, changed, signal);
    }
  }
  unsubscribe();
}

async function mark(
  Term: number,
  { clock, logger, propose }: HeartbeatNeeds,
  timers: HeartbeatTimers,
  Status: string,
  missed: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (let at = 0; at < missed.length && !signal.aborted; at += NODES_MAX) {
    const NodeIDs = missed.slice(at, at + NODES_MAX);
    const command = { Term, NodeIDs, Status, Message: "Node heartbeat missed" };
    try {
      const { Refusal } = await propose({ $case: "UpdateNodeStatus", value: command }, { signal });
      if (Refusal === undefined)
        logger.warn({ nodes: NodeIDs.length, first: NodeIDs[0], status: Status }, "nodes missed their heartbeat");
      else logger.debug({ reason: Refusal.Message }, "nodes not marked down");
    } catch (error) {
      if (signal.aborted) return;
      logger.warn({ err: error, nodes: NodeIDs.length }, "marking nodes down failed; trying again");
      // Timed again, so that a node that is heard of before the next try stays up.
      for (const id of NodeIDs) if (!timers.has(id)) timers.set(id, clock.monotonicMs() + RETRY_MS);
    }
  }
}

const GATHER_MS = 100;
const RETRY_MS = 1_000;
/** Ids in one command: about 180 kB. */
const NODES_MAX = 5_000;
