/**
 * Whether a history can be explained by one order of its operations that respects real time: Wing and Gong's search, with
 * Lowe's memory of where it has been. Objects are searched apart (a history is linearizable if each object's is).
 *
 * - An operation with an unknown outcome may be put anywhere after its start, or left out.
 * - One that failed must be left out: it is not looked at, so what it would have written counts as never written.
 */
import type { Operation } from "./history.ts";

/** What an object does when operations come one by one. */
export interface Model<State, Call, Result> {
  readonly initial: State;
  /**
   * The state after the call, or undefined when the call cannot have given this result in this state. Without a
   * result, the state when the call took effect.
   */
  step(state: State, call: Call, result: Result | undefined): State | undefined;
  /** Equal for states that are equal, and only for those. */
  identity(state: State): string;
}

export type Verdict<Call, Result> =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly key: string;
      /** "undecided": the search was given up after `stepsMax`. */
      readonly reason: "not linearizable" | "undecided";
      /** The longest order that explains something, and the answered operations that it cannot explain. */
      readonly explained: readonly Operation<Call, Result>[];
      readonly unexplained: readonly Operation<Call, Result>[];
    };

const STEPS_MAX = 5_000_000;

export function checkLinearizable<State, Call, Result>(
  history: readonly Operation<Call, Result>[],
  model: Model<State, Call, Result>,
  stepsMax: number = STEPS_MAX,
): Verdict<Call, Result> {
  const objects = Map.groupBy(
    history.filter(({ outcome }) => outcome !== "failed"),
    ({ key }) => key,
  );
  for (const [key, operations] of objects) {
    const verdict = new Search(key, operations, model, stepsMax).run();
    if (!verdict.ok) return verdict;
  }
  return { ok: true };
}

/** The beginning or the end of an operation, in a ring in the order of time. */
interface Event {
  readonly operation: number;
  /** Of a beginning: the end, unless the outcome is unknown. */
  end: Event | undefined;
  readonly isEnd: boolean;
  before: Event;
  after: Event;
}

class Search<State, Call, Result> {
  readonly #key: string;
  readonly #operations: readonly Operation<Call, Result>[];
  readonly #model: Model<State, Call, Result>;
  readonly #stepsMax: number;
  readonly #ring: Event;
  readonly #placed: Placed;
  readonly #seen: Set<string> = new Set();
  /** Operations placed, with the state each met. */
  readonly #path: { readonly begin: Event; readonly state: State }[] = [];
  #longest: number[] = [];

  constructor(
    key: string,
    operations: readonly Operation<Call, Result>[],
    model: Model<State, Call, Result>,
    stepsMax: number,
  ) {
    this.#key = key;
    this.#operations = [...operations].sort((a, b) => a.start - b.start);
    this.#model = model;
    this.#stepsMax = stepsMax;
    this.#ring = ringOf(this.#operations);
    this.#placed = new Placed(operations.length);
  }

  run(): Verdict<Call, Result> {
    let state = this.#model.initial;
    let toExplain = this.#operations.filter(({ outcome }) => outcome === "ok").length;
    let event = this.#ring.after;
    for (let steps = 0; toExplain > 0; steps++) {
      if (steps > this.#stepsMax) return this.#refuse("undecided");
      const next = event.isEnd || event === this.#ring ? undefined : this.#try(event, state);
      if (next !== undefined) {
        this.#path.push({ begin: event, state });
        state = next;
        if (event.end !== undefined) toExplain -= 1;
        lift(event);
        event = this.#ring.after;
      } else if (event.isEnd || event === this.#ring) {
        // An operation has ended that finds no place before its end: what was placed last is wrong.
        if (this.#path.length > this.#longest.length) this.#longest = this.#path.map(({ begin }) => begin.operation);
        const last = this.#path.pop();
        if (last === undefined) return this.#refuse("not linearizable");
        state = last.state;
        if (last.begin.end !== undefined) toExplain += 1;
        this.#placed.remove(last.begin.operation);
        unlift(last.begin);
        event = last.begin.after;
      } else {
        event = event.after;
      }
    }
    return { ok: true };
  }

  /** Places the operation, unless its result is impossible here or the search has been where that leads. */
  #try(begin: Event, state: State): State | undefined {
    const operation = this.#operations[begin.operation] as Operation<Call, Result>;
    const next = this.#model.step(state, operation.call, operation.outcome === "ok" ? operation.result : undefined);
    if (next === undefined) return undefined;
    this.#placed.add(begin.operation);
    const where = `${this.#placed.identity()} ${this.#model.identity(next)}`;
    if (this.#seen.has(where)) {
      this.#placed.remove(begin.operation);
      return undefined;
    }
    this.#seen.add(where);
    return next;
  }

  #refuse(reason: "not linearizable" | "undecided"): Verdict<Call, Result> {
    const explained = new Set(this.#longest);
    return {
      ok: false,
      key: this.#key,
      reason,
      explained: this.#longest.map((n) => this.#operations[n] as Operation<Call, Result>),
      unexplained: this.#operations.filter(({ outcome }, n) => outcome === "ok" && !explained.has(n)),
    };
  }
}

/** Which operations are placed. Those placed are mostly the earliest, so that naming the set is cheap. */
class Placed {
  readonly #has: Uint8Array;
  /** All below it are placed. */
  #full = 0;

  constructor(size: number) {
    this.#has = new Uint8Array(size);
  }

  add(operation: number): void {
    this.#has[operation] = 1;
    while (this.#has[this.#full] === 1) this.#full += 1;
  }

  remove(operation: number): void {
    this.#has[operation] = 0;
    this.#full = Math.min(this.#full, operation);
  }

  identity(): string {
    let name = String(this.#full);
    const last = this.#has.lastIndexOf(1);
    for (let n = this.#full + 1; n <= last; n++) if (this.#has[n] === 1) name += `,${n}`;
    return name;
  }
}

function ringOf(operations: readonly Operation<unknown, unknown>[]): Event {
  const events: { readonly at: number; readonly event: Event }[] = [];
  const make = (operation: number, isEnd: boolean) => {
    const event = { operation, isEnd, end: undefined } as Omit<Event, "before" | "after"> as Event;
    event.before = event;
    event.after = event;
    return event;
  };
  operations.forEach(({ start, end, outcome }, n) => {
    const begin = make(n, false);
    events.push({ at: start, event: begin });
    if (outcome !== "ok") return;
    begin.end = make(n, true);
    events.push({ at: end ?? Number.POSITIVE_INFINITY, event: begin.end });
  });
  // At one moment, beginnings come first: operations that touch may have overlapped.
  events.sort((a, b) => a.at - b.at || Number(a.event.isEnd) - Number(b.event.isEnd));
  const ring = make(-1, false);
  for (const { event } of events) insertBefore(event, ring);
  return ring;
}

function insertBefore(event: Event, next: Event): void {
  event.before = next.before;
  event.after = next;
  next.before.after = event;
  next.before = event;
}

function lift(begin: Event): void {
  for (const event of begin.end === undefined ? [begin] : [begin, begin.end]) {
    event.before.after = event.after;
    event.after.before = event.before;
  }
}

/** Undoes the newest `lift` that is not undone: lifted events remember their neighbours. */
function unlift(begin: Event): void {
  for (const event of begin.end === undefined ? [begin] : [begin.end, begin]) {
    event.before.after = event;
    event.after.before = event;
  }
}
