// The queue against the promises in its header, whatever is done to it in whatever order. Would
// catch: an evaluation lost in one of its places, two of a job out at once, a wrong order.
import { Evaluation } from "@steppe/proto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EvaluationQueue } from "./queue.ts";

const TYPES = ["service", "batch"];

type Act =
  | {
      readonly do: "enqueue";
      readonly n: number;
      readonly job: number;
      readonly priority: number;
      readonly type: string;
    }
  | { readonly do: "dequeue" | "ack" | "nack" | "settle"; readonly n: number }
  | { readonly do: "advance"; readonly ms: number };

const n = fc.nat(19);
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("enqueue" as const),
        n,
        job: fc.nat(4),
        priority: fc.integer({ min: 1, max: 3 }),
        type: fc.constantFrom(...TYPES),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("dequeue", "ack", "nack", "settle"), n }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.nat(30_000) }) },
  ),
  { maxLength: 120 },
);

/** The queue, and what a caller knows of it from its answers alone. */
class Watched {
  readonly queue: EvaluationQueue = new EvaluationQueue();
  readonly made: Map<string, Evaluation> = new Map();
  /** Neither acknowledged, settled, superseded nor failed. */
  readonly open: Set<string> = new Set();
  readonly out: Map<string, string> = new Map();
  #nowMs = 0;
  #tokens = 0;

  act(it: Act): void {
    if (it.do === "advance") this.advance(it.ms);
    else if (it.do === "enqueue") this.#enqueue(it);
    else if (it.do === "dequeue") this.dequeue();
    else if (it.do === "nack") this.queue.nack(`e${it.n}`, this.out.get(`e${it.n}`) ?? "none", this.#nowMs);
    else if (it.do === "ack") this.ack(`e${it.n}`);
    else this.#settle(`e${it.n}`);
    this.#collect();
  }

  dequeue(): Evaluation | undefined {
    const token = `t${this.#tokens++}`;
    const taken = this.queue.dequeue(TYPES, token, token, this.#nowMs);
    if (taken === undefined) return undefined;
    expect(this.open).toContain(taken.ID);
    const jobsOut = [...this.out.keys()].map((id) => this.made.get(id)?.JobID);
    expect(jobsOut).not.toContain(taken.JobID);
    this.out.set(taken.ID, token);
    return taken;
  }

  ack(id: string): void {
    if (this.queue.ack(id, this.out.get(id) ?? "none")) this.#gone(id);
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    this.queue.advance(this.#nowMs);
    this.#collect();
  }

  #enqueue({ n, job, priority, type }: Extract<Act, { do: "enqueue" }>): void {
    const ID = `e${n}`;
    if (this.made.has(ID)) return;
    const place = { ID, Namespace: "default", JobID: `job-${job}`, Type: type };
    const evaluation = Evaluation.create({ ...place, Priority: priority, CreateIndex: this.made.size });
    this.made.set(ID, evaluation);
    this.open.add(ID);
    this.queue.enqueue(evaluation);
  }

  #settle(id: string): void {
    this.queue.settle(id);
    this.#gone(id);
  }

  #gone(id: string): void {
    this.open.delete(id);
    this.out.delete(id);
  }

  /** As the broker does after each step: what is superseded or failing is written, and ends. */
  #collect(): void {
    for (const { ID } of this.queue.takeSuperseded()) {
      expect([...this.out.keys()]).not.toContain(ID);
      this.open.delete(ID);
    }
    for (const { ID } of this.queue.takeFailing()) this.#settle(ID);
    for (const [id, token] of this.out) if (!this.queue.holds(id, token)) this.out.delete(id);
  }
}

test("evaluation queue, any history: one out a job, best first, nothing forgotten", () => {
  fc.assert(
    fc.property(acts, (history) => {
      const watched = new Watched();
      for (const act of history) watched.act(act);
      // Given time and workers that acknowledge, everything that is open comes out.
      for (let round = 0; round < 100 && watched.open.size > 0; round++) {
        const ranks: number[] = [];
        for (let next = watched.dequeue(); next !== undefined; next = watched.dequeue()) {
          ranks.push(next.Priority * 1000 - next.CreateIndex);
        }
        expect(ranks).toEqual([...ranks].sort((a, b) => b - a));
        for (const id of [...watched.out.keys()]) watched.ack(id);
        watched.advance(60_000);
      }
      expect([...watched.open]).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
