import { Evaluation } from "@steppe/proto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EvaluationQueue, QUEUE_LIMITS, restMs } from "./queue.ts";

const ALL = ["service", "batch", "system", "sysbatch"];

function evaluation(id: string, fields: Partial<Evaluation> = {}): Evaluation {
  const base = { ID: id, Namespace: "default", JobID: `job-${id}`, Type: "service", Priority: 50, Status: "pending" };
  return Evaluation.create({ ...base, ...fields });
}

function filled(...evaluations: Evaluation[]): EvaluationQueue {
  const queue = new EvaluationQueue();
  for (const each of evaluations) queue.enqueue(each);
  return queue;
}

/** Hands everything out at time 0; the token is the id. */
function drain(queue: EvaluationQueue, types = ALL): string[] {
  const ids: string[] = [];
  for (let n = 0; ; n++) {
    const next = queue.dequeue(types, "worker", `token-${n}`, 0);
    if (next === undefined) return ids;
    ids.push(next.ID);
  }
}

describe("evaluation queue, order", () => {
  test("different priorities, the highest comes first whatever its type", () => {
    const queue = filled(
      evaluation("low", { Priority: 10, CreateIndex: 1 }),
      evaluation("high", { Priority: 90, CreateIndex: 3, Type: "batch" }),
      evaluation("middle", { Priority: 50, CreateIndex: 2, Type: "system" }),
    );
    expect(drain(queue)).toEqual(["high", "middle", "low"]);
  });

  test("equal priorities in several types, the oldest comes first", () => {
    const queue = filled(
      evaluation("third", { CreateIndex: 3 }),
      evaluation("first", { CreateIndex: 1, Type: "batch" }),
      evaluation("second", { CreateIndex: 2 }),
    );
    expect(drain(queue)).toEqual(["first", "second", "third"]);
  });

  test("a worker of some types, is given no others", () => {
    const queue = filled(evaluation("a"), evaluation("b", { Type: "batch" }));
    expect(drain(queue, ["batch"])).toEqual(["b"]);
    expect(drain(queue, ["system"])).toEqual([]);
  });
});

describe("evaluation queue, one a job", () => {
  const older = evaluation("older", { JobID: "web", CreateIndex: 2 });
  const newer = evaluation("newer", { JobID: "web", CreateIndex: 3 });
  const first = evaluation("first", { JobID: "web", CreateIndex: 1 });

  test("the same id twice, is handed out once", () => {
    expect(drain(filled(first, first))).toEqual(["first"]);
  });

  test("one job's evaluations, only one is out at a time", () => {
    const queue = filled(first, older);
    expect(drain(queue)).toEqual(["first"]);
    queue.ack("first", "token-0");
    expect(drain(queue)).toEqual(["older"]);
  });

  test("the same job ID in two namespaces, are two jobs", () => {
    expect(drain(filled(first, evaluation("other", { JobID: "web", Namespace: "blue" })))).toHaveLength(2);
  });

  test("several waiting on ack, the newest is next and the others are superseded", () => {
    const queue = filled(first, older, newer);
    drain(queue);
    queue.ack("first", "token-0");
    expect(queue.takeSuperseded().map(({ ID }) => ID)).toEqual(["older"]);
    expect(queue.takeSuperseded()).toEqual([]);
    expect(drain(queue)).toEqual(["newer"]);
  });

  test("a waiting one of higher priority, is next though it is older", () => {
    const queue = filled(first, { ...older, Priority: 80 }, newer);
    drain(queue);
    queue.ack("first", "token-0");
    expect(drain(queue)).toEqual(["older"]);
  });

  test("waiting ones of another scheduler type, are not superseded", () => {
    const queue = filled(first, { ...older, Type: "batch" }, newer);
    drain(queue);
    queue.ack("first", "token-0");
    expect(queue.takeSuperseded()).toEqual([]);
    expect(drain(queue)).toEqual(["newer"]);
    queue.ack("newer", "token-0");
    expect(drain(queue)).toEqual(["older"]);
  });

  test("one that ended while waiting, is not handed out", () => {
    const queue = filled(first, older);
    queue.settle("older");
    drain(queue);
    queue.ack("first", "token-0");
    expect(drain(queue)).toEqual([]);
  });

  test("one that ended while out, lets the next one in", () => {
    const queue = filled(first, older);
    drain(queue);
    queue.settle("first");
    expect(drain(queue)).toEqual(["older"]);
    expect(queue.ack("first", "token-0")).toBe(false);
  });

  test("one that comes again while out, is taken in on ack", () => {
    const queue = filled(first);
    drain(queue);
    queue.enqueue(first);
    queue.ack("first", "token-0");
    expect(drain(queue)).toEqual(["first"]);
  });

  test("one that comes again while out, counts for nothing on nack", () => {
    const queue = filled(first);
    drain(queue);
    queue.enqueue(first);
    queue.nack("first", "token-0", 0);
    queue.advance(1_000);
    expect(drain(queue)).toEqual(["first"]);
    queue.ack("first", "token-0");
    expect(drain(queue)).toEqual([]);
  });
});

describe("evaluation queue, deliveries", () => {
  test("another token, neither acks nor nacks", () => {
    const queue = filled(evaluation("a"));
    drain(queue);
    expect([queue.ack("a", "forged"), queue.nack("a", "forged", 0), queue.ack("b", "token-0")]).toEqual([
      false,
      false,
      false,
    ]);
    expect(queue.holds("a", "token-0")).toBe(true);
  });

  test.each([
    [1, 1_000],
    [2, 20_000],
    [3, 40_000],
  ])("delivery %i nacked, rests %i ms", (deliveries, expected) => {
    expect(restMs(deliveries)).toBe(expected);
  });

  test("a nacked one, is out again only after its rest", () => {
    const queue = filled(evaluation("a"));
    drain(queue);
    queue.nack("a", "token-0", 500);
    expect(queue.nextDueMs()).toBe(1_500);
    queue.advance(1_499);
    expect(drain(queue)).toEqual([]);
    queue.advance(1_500);
    expect(drain(queue)).toEqual(["a"]);
  });

  test("a resting one, holds back the others of its job", () => {
    const queue = filled(evaluation("a", { JobID: "web" }), evaluation("b", { JobID: "web", CreateIndex: 9 }));
    drain(queue);
    queue.nack("a", "token-0", 0);
    expect(drain(queue)).toEqual([]);
  });

  test("a third delivery nacked, has failed and keeps its job until the log says so", () => {
    const queue = filled(evaluation("a", { JobID: "web" }), evaluation("b", { JobID: "web", CreateIndex: 9 }));
    let nowMs = 0;
    for (let n = 0; n < 3; n++) {
      expect(queue.dequeue(ALL, "worker", "token", nowMs)?.ID).toBe("a");
      queue.nack("a", "token", nowMs);
      nowMs += 60_000;
      queue.advance(nowMs);
    }
    expect(queue.takeFailing().map(({ ID }) => ID)).toEqual(["a"]);
    expect(queue.takeFailing()).toEqual([]);
    expect(drain(queue)).toEqual([]);
    queue.settle("a");
    expect(drain(queue)).toEqual(["b"]);
  });

  test("no word from the worker, is taken back after the silence", () => {
    const queue = filled(evaluation("a"));
    drain(queue);
    queue.touch("worker", 3_000);
    queue.touch("another", 7_000);
    queue.advance(7_999);
    expect(queue.holds("a", "token-0")).toBe(true);
    queue.advance(8_000);
    expect(queue.holds("a", "token-0")).toBe(false);
  });

  test("a worker that only ever touches, is taken back after the nack timeout", () => {
    const queue = filled(evaluation("a"));
    drain(queue);
    for (let nowMs = 0; nowMs < QUEUE_LIMITS.nackTimeoutMs; nowMs += 1_000) {
      queue.touch("worker", nowMs);
      queue.advance(nowMs);
    }
    expect(queue.holds("a", "token-0")).toBe(true);
    queue.advance(QUEUE_LIMITS.nackTimeoutMs);
    expect(queue.holds("a", "token-0")).toBe(false);
  });

  test("stats, count each place by type", () => {
    const queue = filled(
      evaluation("a", { JobID: "web" }),
      evaluation("b", { JobID: "web" }),
      evaluation("c", { Type: "batch" }),
    );
    queue.dequeue(["service"], "worker", "token", 0);
    expect(queue.stats()).toEqual({
      ...{ ready: 1, unacked: 1, waiting: 1, resting: 0, failing: 0 },
      byType: { service: { ready: 0, unacked: 1 }, batch: { ready: 1, unacked: 0 } },
    });
  });
});

// The queue against its four promises, whatever is done to it in whatever order.
describe("evaluation queue, any history", () => {
  type Act =
    | { readonly do: "enqueue"; readonly n: number; readonly job: number; readonly priority: number; readonly batch: boolean }
    | { readonly do: "dequeue" | "ack" | "nack" | "settle"; readonly n: number }
    | { readonly do: "advance"; readonly ms: number };
  const n = fc.nat(19);
  const act: fc.Arbitrary<Act> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant("enqueue" as const), n, job: fc.nat(4), priority: fc.integer({ min: 1, max: 3 }), batch: fc.boolean() }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("dequeue" as const, "ack" as const, "nack" as const, "settle" as const), n }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.nat(30_000) }) },
  );

  test("one out a job, best first, nothing forgotten", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 120 }), (acts) => {
        const queue = new EvaluationQueue();
        const made = new Map<number, Evaluation>();
        const open = new Set<string>();
        const out = new Map<string, { readonly token: string; readonly job: string }>();
        let nowMs = 0;
        let tokens = 0;
        const collect = () => {
          for (const { ID } of [...queue.takeSuperseded()]) {
            expect(out.has(ID)).toBe(false);
            open.delete(ID);
          }
          for (const { ID } of queue.takeFailing()) {
            out.delete(ID);
            queue.settle(ID);
            open.delete(ID);
          }
          for (const [id, { token }] of out) if (!queue.holds(id, token)) out.delete(id);
        };
        const deliver = () => {
          const token = `t${tokens++}`;
          const taken = queue.dequeue(ALL, token, token, nowMs);
          if (taken === undefined) return false;
          expect(open.has(taken.ID)).toBe(true);
          expect([...out.values()].some(({ job }) => job === taken.JobID)).toBe(false);
          out.set(taken.ID, { token, job: taken.JobID });
          return true;
        };
        for (const it of acts) {
          if (it.do === "advance") queue.advance((nowMs += it.ms));
          else if (it.do === "enqueue") {
            if (made.has(it.n)) continue;
            const fields = { JobID: `job-${it.job}`, Priority: it.priority, CreateIndex: made.size };
            const one = evaluation(`e${it.n}`, { ...fields, Type: it.batch ? "batch" : "service" });
            made.set(it.n, one);
            open.add(one.ID);
            queue.enqueue(one);
          } else if (it.do === "dequeue") deliver();
          else {
            const id = `e${it.n}`;
            const token = out.get(id)?.token ?? "none";
            if (it.do === "nack") queue.nack(id, token, nowMs);
            else if (it.do === "settle" || queue.ack(id, token)) {
              if (it.do === "settle") queue.settle(id);
              open.delete(id);
              out.delete(id);
            }
          }
          collect();
        }
        // Everything still open comes out, given time; what is ready at one moment comes best first.
        for (let round = 0; round < 200 && open.size > 0; round++) {
          const ranks: number[] = [];
          while (deliver()) {
            const last = [...out.keys()].at(-1) as string;
            const { Priority, CreateIndex } = [...made.values()].find(({ ID }) => ID === last) as Evaluation;
            ranks.push(Priority * 1000 - CreateIndex);
          }
          expect(ranks).toEqual([...ranks].sort((a, b) => b - a));
          for (const [id, { token }] of [...out]) {
            expect(queue.ack(id, token)).toBe(true);
            open.delete(id);
            out.delete(id);
          }
          collect();
          queue.advance((nowMs += 60_000));
          collect();
        }
        expect([...open]).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
