import type { Evaluation } from "@steppe/proto";
import { type JobKey, jobKey } from "@steppe/state";
import { Heap } from "../heap.ts";
import { handedOutBefore, waitsBefore } from "./order.ts";

/** Milliseconds unless said otherwise. */
export interface QueueLimits {
  /** A delivery that is not acknowledged this long is taken back. */
  readonly nackTimeoutMs: number;
  /** A delivery whose worker is silent this long is taken back. */
  readonly silenceMs: number;
  /** A delivery that its worker did not confirm by then was lost on the way, and is taken back. Longer than a worker decides in one go. */
  readonly confirmMs: number;
  /** So many deliveries, and the evaluation has failed. */
  readonly deliveries: number;
}

export const QUEUE_LIMITS: QueueLimits = { nackTimeoutMs: 60_000, silenceMs: 5_000, confirmMs: 2_000, deliveries: 3 };

/** So many losses on the way count for nothing; after them, what looks like one may be a worker that dies of the evaluation. */
const LOSSES_MAX = 3;

/** Rest before the next delivery: 1 s after the first, then 20 s more for each. */
export function restMs(deliveries: number): number {
  return deliveries <= 1 ? 1_000 : (deliveries - 1) * 20_000;
}

type Place =
  | { readonly kind: "ready" }
  /** Another evaluation of the job comes first. */
  | { readonly kind: "waiting" }
  | Outstanding
  /** Was taken back; not handed out before. */
  | { readonly kind: "resting"; readonly untilMs: number }
  /** Delivered too often. Keeps its job until the log says that it failed. */
  | { readonly kind: "failing" };

interface Outstanding {
  readonly kind: "outstanding";
  readonly token: string;
  readonly worker: string;
  readonly nackAtMs: number;
  heardMs: number;
  /** The worker will say that it has it, and has not yet. */
  unconfirmed: boolean;
  /** Came again while outstanding: taken in on ack, dropped on nack. */
  again: Evaluation | undefined;
}

interface Item {
  evaluation: Evaluation;
  readonly key: JobKey;
  place: Place;
  /** Those that were lost on the way do not count. */
  deliveries: number;
  losses: number;
}

interface JobLine {
  /** Ready, outstanding, resting or failing. */
  head: Item;
  readonly waiting: Set<Item>;
}

export interface QueueStats {
  readonly ready: number;
  readonly unacked: number;
  readonly waiting: number;
  readonly resting: number;
  readonly failing: number;
  /** Ready and unacked, by scheduler type. */
  readonly byType: Readonly<Record<string, { readonly ready: number; readonly unacked: number }>>;
}

/**
 * Evaluations to be handed out now. Time and tokens are passed in; nothing here waits.
 *
 * 1. An id is held once. 2. Of a job, at most one evaluation is ready, resting or outstanding.
 * 3. What is handed out is the highest priority there is among the types asked for, the oldest of
 * those. 4. What was taken in leaves only by `settle`, `ack`, or as superseded or failing, which
 * the caller collects and writes.
 */
export class EvaluationQueue {
  readonly #limits: QueueLimits;
  readonly #items: Map<string, Item> = new Map();
  readonly #lines: Map<JobKey, JobLine> = new Map();
  readonly #ready: Map<string, Heap<Item>> = new Map();
  readonly #outstanding: Set<Item> = new Set();
  readonly #resting: Set<Item> = new Set();
  #superseded: Evaluation[] = [];
  #failing: Evaluation[] = [];

  constructor(limits: QueueLimits = QUEUE_LIMITS) {
    this.#limits = limits;
  }

  enqueue(evaluation: Evaluation): void {
    const known = this.#items.get(evaluation.ID);
    if (known?.place.kind === "outstanding") known.place.again = evaluation;
    if (known !== undefined) return;
    const key = jobKey(evaluation.Namespace, evaluation.JobID);
    const item: Item = { evaluation, key, place: { kind: "waiting" }, deliveries: 0, losses: 0 };
    this.#items.set(evaluation.ID, item);
    const line = this.#lines.get(key);
    if (line !== undefined) {
      line.waiting.add(item);
      return;
    }
    this.#lines.set(key, { head: item, waiting: new Set() });
    this.#makeReady(item);
  }

  /** The evaluation to process next, which `worker` then has to acknowledge with `token`. `confirms`: it touches it as soon as it has it. */
  dequeue(
    types: readonly string[],
    worker: string,
    token: string,
    nowMs: number,
    confirms = false,
  ): Evaluation | undefined {
    const best = this.#best(types);
    if (best === undefined) return undefined;
    this.#ready.get(best.evaluation.Type)?.pop();
    best.deliveries += 1;
    const nackAtMs = nowMs + this.#limits.nackTimeoutMs;
    best.place = {
      ...{ kind: "outstanding", token, worker, nackAtMs, heardMs: nowMs },
      ...{ unconfirmed: confirms, again: undefined },
    };
    this.#outstanding.add(best);
    return best.evaluation;
  }

  /** Whether there is anything to hand out to a worker of these types. */
  hasReady(types: readonly string[]): boolean {
    return this.#best(types) !== undefined;
  }

  /** Whether the evaluation is out under this token. */
  holds(id: string, token: string): boolean {
    const place = this.#items.get(id)?.place;
    return place?.kind === "outstanding" && place.token === token;
  }

  ack(id: string, token: string): boolean {
    const item = this.#items.get(id);
    if (item?.place.kind !== "outstanding" || item.place.token !== token) return false;
    const { again } = item.place;
    this.#leave(item);
    if (again !== undefined) this.enqueue(again);
    return true;
  }

  nack(id: string, token: string, nowMs: number): boolean {
    const item = this.#items.get(id);
    if (item?.place.kind !== "outstanding" || item.place.token !== token) return false;
    this.#takeBack(item, nowMs);
    return true;
  }

  /** The worker lives. */
  touch(worker: string, nowMs: number): void {
    for (const { place } of this.#outstanding) {
      if (place.kind !== "outstanding" || place.worker !== worker) continue;
      place.heardMs = nowMs;
      place.unconfirmed = false;
    }
  }

  /** The evaluation needs no processing any more, wherever it is. */
  settle(id: string): void {
    const item = this.#items.get(id);
    if (item !== undefined) this.#leave(item);
  }

  /** Takes back what was not acknowledged in time, and readies what has rested enough. */
  advance(nowMs: number): void {
    for (const item of [...this.#outstanding]) if (this.#takenBackAtMs(item) <= nowMs) this.#takeBack(item, nowMs);
    for (const item of [...this.#resting]) if (restsUntilMs(item) <= nowMs) this.#makeReady(item);
  }

  /** When `advance` next has something to do. */
  nextDueMs(): number {
    let due = Number.POSITIVE_INFINITY;
    for (const item of this.#outstanding) due = Math.min(due, this.#takenBackAtMs(item));
    for (const item of this.#resting) due = Math.min(due, restsUntilMs(item));
    return due;
  }

  /** Evaluations that a newer one of their job made needless, once each. */
  takeSuperseded(): Evaluation[] {
    const taken = this.#superseded;
    this.#superseded = [];
    return taken;
  }

  /** Evaluations that reached the delivery limit, once each. */
  takeFailing(): Evaluation[] {
    const taken = this.#failing;
    this.#failing = [];
    return taken;
  }

  stats(): QueueStats {
    const counts = { ready: 0, outstanding: 0, waiting: 0, resting: 0, failing: 0 };
    const byType: Record<string, { ready: number; unacked: number }> = {};
    for (const { evaluation, place } of this.#items.values()) {
      counts[place.kind] += 1;
      byType[evaluation.Type] ??= { ready: 0, unacked: 0 };
      const ofType = byType[evaluation.Type] as { ready: number; unacked: number };
      if (place.kind === "ready") ofType.ready += 1;
      if (place.kind === "outstanding") ofType.unacked += 1;
    }
    const { outstanding: unacked, ...rest } = counts;
    return { ...rest, unacked, byType };
  }

  #best(types: readonly string[]): Item | undefined {
    let best: Item | undefined;
    for (const type of types) {
      const first = this.#ready.get(type)?.peekValid((item) => this.#isReady(item));
      if (first === undefined) continue;
      if (best === undefined || handedOutBefore(first.evaluation, best.evaluation)) best = first;
    }
    return best;
  }

  /** Heaps keep what was settled while ready until it comes up. */
  #isReady(item: Item): boolean {
    return item.place.kind === "ready" && this.#items.get(item.evaluation.ID) === item;
  }

  #makeReady(item: Item): void {
    this.#resting.delete(item);
    item.place = { kind: "ready" };
    let heap = this.#ready.get(item.evaluation.Type);
    if (heap === undefined) {
      heap = new Heap((a, b) => handedOutBefore(a.evaluation, b.evaluation));
      this.#ready.set(item.evaluation.Type, heap);
    }
    heap.push(item);
  }

  #takenBackAtMs({ place }: Item): number {
    if (place.kind !== "outstanding") return Number.POSITIVE_INFINITY;
    const { silenceMs, confirmMs } = this.#limits;
    return Math.min(place.nackAtMs, place.heardMs + (place.unconfirmed ? Math.min(confirmMs, silenceMs) : silenceMs));
  }

  #takeBack(item: Item, nowMs: number): void {
    this.#outstanding.delete(item);
    if (item.place.kind === "outstanding" && item.place.unconfirmed && item.losses < LOSSES_MAX) {
      item.losses += 1;
      item.deliveries -= 1;
      this.#makeReady(item);
      return;
    }
    if (item.deliveries >= this.#limits.deliveries) {
      item.place = { kind: "failing" };
      this.#failing.push(item.evaluation);
      return;
    }
    item.place = { kind: "resting", untilMs: nowMs + restMs(item.deliveries) };
    this.#resting.add(item);
  }

  #leave(item: Item): void {
    this.#items.delete(item.evaluation.ID);
    this.#outstanding.delete(item);
    this.#resting.delete(item);
    const line = this.#lines.get(item.key);
    if (line === undefined) return;
    if (line.head === item) this.#next(item.key, line);
    else line.waiting.delete(item);
  }

  /**
   * The job's next evaluation takes its turn; it looks at everything that the others of its type
   * would have looked at, so these are superseded. (Another type is another scheduler: that of a
   * job that was purged and registered anew.)
   */
  #next(key: JobKey, line: JobLine): void {
    const [head, ...others] = [...line.waiting].sort((a, b) => waitsBefore(a.evaluation, b.evaluation));
    if (head === undefined) {
      this.#lines.delete(key);
      return;
    }
    line.waiting.delete(head);
    line.head = head;
    for (const other of others) {
      if (other.evaluation.Type !== head.evaluation.Type) continue;
      line.waiting.delete(other);
      this.#items.delete(other.evaluation.ID);
      this.#superseded.push(other.evaluation);
    }
    this.#makeReady(head);
  }
}

function restsUntilMs({ place }: Item): number {
  return place.kind === "resting" ? place.untilMs : Number.POSITIVE_INFINITY;
}
