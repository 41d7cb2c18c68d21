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

interface Entry {
  readonly id: string;
  readonly dueMs: number;
}

/**
 * One deadline a node. Moving a deadline back, which each heartbeat does, is one map write: the
 * heap keeps the old entry, which is put in again where it belongs when it comes up.
 */
export class HeartbeatTimers {
  readonly #deadlines: Map<string, number> = new Map();
  /** At least one entry for each node, due no later than its deadline. */
  readonly #heap: Heap<Entry> = new Heap((a, b) => a.dueMs < b.dueMs);

  get size(): number {
    return this.#deadlines.size;
  }

  has(id: string): boolean {
    return this.#deadlines.has(id);
  }

  set(id: string, deadlineMs: number): void {
    const before = this.#deadlines.get(id);
    this.#deadlines.set(id, deadlineMs);
    if (before === undefined || deadlineMs < before) this.#heap.push({ id, dueMs: deadlineMs });
  }

  delete(id: string): void {
    this.#deadlines.delete(id);
  }

  /** Takes out the nodes whose deadline has passed. */
  takeDue(nowMs: number): string[] {
    const due: string[] = [];
    for (let first = this.#first(); first !== undefined && first.dueMs <= nowMs; first = this.#first()) {
      this.#heap.pop();
      this.#deadlines.delete(first.id);
      due.push(first.id);
    }
    return due;
  }

  nextDueMs(): number {
    return this.#first()?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  #first(): Entry | undefined {
    for (let first = this.#heap.peek(); first !== undefined; first = this.#heap.peek()) {
      const deadlineMs = this.#deadlines.get(first.id);
      if (deadlineMs === first.dueMs) return first;
      this.#heap.pop();
      if (deadlineMs !== undefined && deadlineMs > first.dueMs) this.#heap.push({ id: first.id, dueMs: deadlineMs });
    }
    return undefined;
  }
}
