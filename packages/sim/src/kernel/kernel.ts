/**
 * Virtual time. Everything that happens in a simulation is an event of this queue, or follows from one at once.
 *
 * 1. Events run in the order of their times, those of one time in the order in which they were asked for.
 * 2. After an event everything that it made ready runs, before the next event does: Node empties its queue of promise
 *    jobs before it runs what `process.nextTick` was given, and jobs that jobs add count. This holds as long as simulated
 *    code waits for nothing real (no timers, no I/O): its clock, network, log and disks are all made of events.
 * 3. So a run follows from the seed alone. `digest` is over all events' times and labels; two runs of a seed have the same.
 */
import { hash } from "./random.ts";

export interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly label: string;
  /** Undefined once run or called off. */
  run: (() => void) | undefined;
}

/** Turns of the real event loop are needed for what watches the run from outside: signals, reports, test runners. */
const EVENTS_PER_TURN = 2000;

export class Kernel {
  #nowMs = 0;
  #digest = 0x811c9dc5;
  #order = 0;
  #events = 0;
  readonly #heap: Event[] = [];
  /** Called after each event and its consequences. */
  afterEvent: () => void = () => undefined;

  get nowMs(): number {
    return this.#nowMs;
  }

  get digest(): number {
    return this.#digest;
  }

  /** Events run so far. */
  get events(): number {
    return this.#events;
  }

  at(atMs: number, label: string, run: () => void): Event {
    this.#order += 1;
    const event: Event = { atMs: Math.max(atMs, this.#nowMs), order: this.#order, label, run };
    this.#push(event);
    return event;
  }

  after(ms: number, label: string, run: () => void): Event {
    return this.at(this.#nowMs + ms, label, run);
  }

  /** Runs until nothing is left before `untilMs`, or until `stop` says so. */
  async runUntil(untilMs: number, stop: () => boolean = () => false): Promise<void> {
    await settled();
    for (let event = this.#heap[0]; event !== undefined && event.atMs <= untilMs; event = this.#heap[0]) {
      this.#pop();
      const { run } = event;
      if (run === undefined) continue;
      event.run = undefined;
      this.#nowMs = event.atMs;
      this.#events += 1;
      this.#digest = hash(`${event.atMs} ${event.label}`, this.#digest);
      run();
      await settled();
      this.afterEvent();
      if (stop()) return;
      if (this.#events % EVENTS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent] as Event, event)) break;
      heap[at] = heap[parent] as Event;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child += 1;
      if (isBefore(last, heap[child] as Event)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Resolves when no promise has anything left to do. */
function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
