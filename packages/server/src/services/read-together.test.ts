// How fresh reads that come together are.
import { type Clock, SteppeError } from "@steppe/model";
import { QueryOptions } from "@steppe/proto";
import { State } from "@steppe/state";
import { Watches } from "@steppe/watch";
import { describe, expect, it } from "vitest";
import { createReader, type ReadReplica } from "./read.ts";

const CONSISTENT = QueryOptions.create({ Consistent: true });

/** A replica of a log on another machine, in turns that the test ends. */
function world({ isCutOff = false }: { isCutOff?: boolean } = {}) {
  const questions: { kind: "default" | "consistent"; answer: (index: number) => void; fail: (error: Error) => void }[] =
    [];
  const ask = (kind: "default" | "consistent") => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    questions.push({ kind, answer: resolve, fail: reject });
    return promise;
  };
  const waitedFor: number[] = [];
  const replica: ReadReplica = {
    view: new State(),
    watches: new Watches(),
    log: { lastIndexHere: undefined, silenceMs: () => (isCutOff ? Number.POSITIVE_INFINITY : 0) },
    freshness: { lastIndex: () => ask("default") },
    proposer: { barrier: () => ask("consistent") },
    applier: { keptIndex: 7, waitFor: async (index) => void waitedFor.push(index) },
  };
  const turns: (() => void)[] = [];
  const clock: Clock = {
    monotonicMs: () => 0,
    wallNs: () => 0,
    // No time passes: what waits ends by its signal.
    after: (_ms, signal) =>
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true })),
    afterTurn: (work) => void turns.push(work),
  };
  const reader = createReader(replica, clock, () => 0);
  const found = () => ({ changedAt: 1, index: 1, value: "found" });
  const read = (query = QueryOptions.create(), timeoutMs = 1_000) =>
    reader.read(query, { signal: new AbortController().signal, timeoutMs }, { kind: "job", id: "" }, found);
  const endTurn = () => {
    for (const work of turns.splice(0)) work();
  };
  return { read, endTurn, questions, waitedFor };
}

describe("reads together", () => {
  it("reads of one turn, ask the log once, when all of them are there", async () => {
    const { read, endTurn, questions, waitedFor } = world();
    const reads = [read(), read(), read()];
    expect(questions).toHaveLength(0);
    endTurn();
    expect(questions.map(({ kind }) => kind)).toEqual(["default"]);
    questions[0]?.answer(7);
    expect((await Promise.all(reads)).map(({ value }) => value)).toEqual(["found", "found", "found"]);
    expect(waitedFor).toEqual([7]);
  });

  it("a read of the next turn, asks anew: the answer under way may be older than it", async () => {
    const { read, endTurn, questions } = world();
    const first = read();
    endTurn();
    const second = read();
    questions[0]?.answer(7);
    await first;
    endTurn();
    expect(questions).toHaveLength(2);
    questions[1]?.answer(8);
    expect((await second).value).toBe("found");
  });

  it("default and consistent reads, and those with less time, ask each for themselves", () => {
    const { read, endTurn, questions } = world();
    for (const reading of [read(), read(CONSISTENT), read(CONSISTENT), read(QueryOptions.create(), 500)]) {
      reading.catch(() => undefined);
    }
    endTurn();
    expect(questions.map(({ kind }) => kind)).toEqual(["default", "consistent", "default"]);
  });

  it("the log does not answer, all of the turn are refused", async () => {
    const { read, endTurn, questions } = world();
    const reads = [read(), read()];
    endTurn();
    questions[0]?.fail(new Error("no responders"));
    const results = await Promise.allSettled(reads);
    for (const result of results) {
      const reason: unknown = result.status === "rejected" ? result.reason : undefined;
      expect(reason).toBeInstanceOf(SteppeError);
      expect((reason as SteppeError).code).toBe("no-quorum");
    }
  });

  it("cut off from the log, refused without a question", async () => {
    const { read, endTurn, questions } = world({ isCutOff: true });
    const reading = read();
    endTurn();
    await expect(reading).rejects.toMatchObject({ code: "no-quorum" });
    expect(questions).toHaveLength(0);
  });
});
