import { groupOf, type NodeColumns } from "@steppe/state";
import { Heap } from "../heap.ts";

/** Milliseconds unless said otherwise. The peer's numbers. */
export interface HeartbeatTiming {
  readonly ttlMinMs: number;
  /** Heartbeats a second that the region wants to take at most. */
  readonly perSecondMax: number;
  /** On top of the time a node was told. */
  readonly graceMs: number;
  /** For every node when a term begins, when nobody knows what the last leader had heard. */
  readonly failoverMs: number;
}

export const HEARTBEAT_TIMING: HeartbeatTiming = {
  ttlMinMs: 10_000,
  perSecondMax: 50,
  graceMs: 10_000,
  failoverMs: 300_000,
};

/** What a node is told: to be heard of within this many milliseconds. `fraction` in [0, 1) spreads the nodes. */
export function ttlFor(nodeCount: number, fraction: number, timing: HeartbeatTiming = HEARTBEAT_TIMING): number {
  return baseTtlMs(nodeCount, timing) * (1 + fraction);
}

/** The longest that a node may have been told, by whichever server it talks to, and the grace. */
export function patienceMs(nodeCount: number, timing: HeartbeatTiming = HEARTBEAT_TIMING): number {
  return 2 * baseTtlMs(nodeCount, timing) + timing.graceMs;
}

function baseTtlMs(nodeCount: number, timing: HeartbeatTiming): number {
  return Math.max(timing.ttlMinMs, (nodeCount / timing.perSecondMax) * 1000);
}

/**
 * What a node is that was not heard of: disconnected while it may run something that its group lets
 * survive that, down otherwise. What was unknown for too long, the scheduler has given up by then.
 */
export function silentStatus(nodes: Pick<NodeColumns, "allocationsOf">, id: string): "down" | "disconnected" {
  for (const allocation of nodes.allocationsOf(id)) {
    const { ClientStatus, Job, TaskGroup, terminal } = allocation;
    if (terminal || (ClientStatus !== "running" && ClientStatus !== "unknown")) continue;
    if ((groupOf(Job, TaskGroup)?.Disconnect?.LostAfter ?? 0) > 0) return "disconnected";
  }
  return "down";
}

interface Entry {
  readonly id: string;
  readonly dueMs: number;
}

interface Timer {
  /** When it was last heard of, or first seen; -Infinity: no matter. */
  heardMs: number;
  deadlineMs: number;
  /** The one entry of the heap that counts; due no later than the deadline. */
  entry: Entry;
}

/**
 * One deadline a node. Moving a deadline back, which each heartbeat does, touches no heap: the
 * entry is put in again where it belongs when it comes up, once a deadline instead of once a heartbeat.
 */
export class HeartbeatTimers {
  readonly #timers: Map<string, Timer> = new Map();
  readonly #heap: Heap<Entry> = new Heap((a, b) => a.dueMs < b.dueMs);

  get size(): number {
    return this.#timers.size;
  }

  has(id: string): boolean {
    return this.#timers.has(id);
  }

  /** Without `heardMs` the deadline stands, however the region grows. */
  set(id: string, deadlineMs: number, heardMs = Number.NEGATIVE_INFINITY): void {
    const timer = this.#timers.get(id);
    if (timer === undefined) this.#timers.set(id, { heardMs, deadlineMs, entry: this.#push(id, deadlineMs) });
    else {
      timer.heardMs = heardMs;
      timer.deadlineMs = deadlineMs;
      if (deadlineMs < timer.entry.dueMs) timer.entry = this.#push(id, deadlineMs);
    }
  }

  delete(id: string): void {
    this.#timers.delete(id);
  }

  /**
   * Takes out the nodes whose deadline has passed. One that was set when the region was smaller may
   * since have been told a longer TTL: it is given today's patience, counted from when it was heard.
   */
  takeDue(nowMs: number, patienceMs = 0): string[] {
    const due: string[] = [];
    for (let first = this.#first(); first !== undefined && first.dueMs <= nowMs; first = this.#first()) {
      const heardMs = this.#timers.get(first.id)?.heardMs ?? nowMs;
      if (heardMs + patienceMs > nowMs) {
        this.set(first.id, heardMs + patienceMs, heardMs);
        continue;
      }
      this.#heap.pop();
      this.#timers.delete(first.id);
      due.push(first.id);
    }
    return due;
  }

  nextDueMs(): number {
    return this.#first()?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  #push(id: string, dueMs: number): Entry {
    const entry = { id, dueMs };
    this.#heap.push(entry);
    return entry;
  }

  #first(): Entry | undefined {
    for (let first = this.#heap.peek(); first !== undefined; first = this.#heap.peek()) {
      const timer = this.#timers.get(first.id);
      const counts = timer?.entry === first;
      if (counts && timer.deadlineMs === first.dueMs) return first;
      this.#heap.pop();
      if (counts) timer.entry = this.#push(first.id, timer.deadlineMs);
    }
    return undefined;
  }
}
