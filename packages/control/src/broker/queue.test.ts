import { Evaluation } from "@steppe/proto";
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

  test("not confirmed by a worker that confirms, is ready again without rest and counts for nothing", () => {
    const queue = filled(evaluation("a"));
    for (let n = 0; n < 3; n++) {
      expect(queue.dequeue(ALL, "worker", `token-${n}`, n * QUEUE_LIMITS.confirmMs, true)?.ID).toBe("a");
      queue.advance((n + 1) * QUEUE_LIMITS.confirmMs - 1);
      expect(queue.holds("a", `token-${n}`)).toBe(true);
      queue.advance((n + 1) * QUEUE_LIMITS.confirmMs);
    }
    queue.dequeue(ALL, "worker", "kept", 10_000, true);
    queue.touch("worker", 10_001);
    queue.nack("a", "kept", 10_001);
    queue.advance(10_001 + restMs(1));
    expect(queue.dequeue(ALL, "worker", "again", 12_000)?.ID).toBe("a");
  });

  test("never confirmed, is failing in the end: the worker may die of it", () => {
    const queue = filled(evaluation("a"));
    let out = 0;
    for (let nowMs = 0; nowMs < 300_000; nowMs += 1_000) {
      if (queue.dequeue(ALL, "worker", `token-${nowMs}`, nowMs, true) !== undefined) out += 1;
      queue.advance(nowMs);
    }
    expect(queue.takeFailing().map(({ ID }) => ID)).toEqual(["a"]);
    expect(out).toBe(3 + QUEUE_LIMITS.deliveries);
  });

  test("confirmed, is taken back after the silence like any other", () => {
    const queue = filled(evaluation("a"));
    queue.dequeue(ALL, "worker", "token", 0, true);
    queue.touch("worker", 100);
    queue.advance(QUEUE_LIMITS.silenceMs);
    expect(queue.holds("a", "token")).toBe(true);
    queue.advance(100 + QUEUE_LIMITS.silenceMs);
    expect(queue.holds("a", "token")).toBe(false);
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
