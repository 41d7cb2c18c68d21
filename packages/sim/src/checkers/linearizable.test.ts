import fc from "fast-check";
import { expect, test } from "vitest";
import type { Operation } from "./history.ts";
import { type JobCall, type JobResult, jobRegister } from "./job-register.ts";
import { checkLinearizable, type Model } from "./linearizable.ts";

type JobOperation = Operation<JobCall, JobResult>;

const at = (start: number, end: number, call: JobCall, result: JobResult, client = "a"): JobOperation => ({
  ...{ client, key: "web", call, start, end, outcome: "ok", result },
});
const unknown = (start: number, call: JobCall, client = "u"): JobOperation => ({
  ...{ client, key: "web", call, start, outcome: "unknown" },
});
const read = (start: number, end: number, mark: string | null, index: number, stopped = false): JobOperation =>
  at(start, end, { op: "read" }, { mark, index, stopped }, "r");
const register = (start: number, end: number, mark: string, index: number): JobOperation =>
  at(start, end, { op: "register", mark }, { applied: true, index });

const GOOD: Record<string, JobOperation[]> = {
  "nothing happened": [],
  "a read of nothing": [read(0, 1, null, 0)],
  "a write and a read after it": [register(0, 1, "m1", 5), read(2, 3, "m1", 5)],
  "reads that overlap a write see either": [register(0, 9, "m1", 5), read(1, 2, null, 0), read(3, 4, "m1", 5)],
  "a write with an unknown outcome takes effect late": [
    unknown(0, { op: "register", mark: "m1" }),
    read(1, 2, null, 0),
    read(3, 4, "m1", 7),
  ],
  "a write with an unknown outcome never takes effect": [
    unknown(0, { op: "register", mark: "m1" }),
    register(1, 2, "m2", 7),
    read(3, 4, "m2", 7),
  ],
  "of two compare-and-sets on one index one is refused": [
    register(0, 1, "m1", 5),
    at(2, 4, { op: "cas", mark: "m2", index: 5 }, { applied: true, index: 6 }),
    at(2, 4, { op: "cas", mark: "m3", index: 5 }, { applied: false, index: 0 }, "b"),
    read(5, 6, "m2", 6),
  ],
  "a stopped job is there, a purged one is not": [
    register(0, 1, "m1", 5),
    at(2, 3, { op: "deregister", purge: false }, { applied: true, index: 6 }),
    read(4, 5, "m1", 6, true),
    at(6, 7, { op: "deregister", purge: true }, { applied: true, index: 8 }),
    read(8, 9, null, 0),
    at(10, 11, { op: "cas", mark: "m2", index: 0 }, { applied: true, index: 9 }),
  ],
  "a failed write never acted": [{ ...register(0, 1, "m1", 0), outcome: "failed" }, read(2, 3, null, 0)],
};

const BAD: Record<string, JobOperation[]> = {
  "two registrations with one index": [
    register(0, 9, "m1", 5),
    at(0, 9, { op: "register", mark: "m2" }, { applied: true, index: 5 }, "b"),
    read(10, 11, "m2", 5),
  ],
  "an acknowledged write is not read": [register(0, 1, "m1", 5), read(2, 3, null, 0)],
  "a read goes back": [
    register(0, 1, "m1", 5),
    register(2, 9, "m2", 6),
    read(3, 4, "m2", 6),
    at(5, 6, { op: "read" }, { mark: "m1", index: 5, stopped: false }, "s"),
  ],
  "both of two compare-and-sets on one index": [
    register(0, 1, "m1", 5),
    at(2, 4, { op: "cas", mark: "m2", index: 5 }, { applied: true, index: 6 }),
    at(2, 4, { op: "cas", mark: "m3", index: 5 }, { applied: true, index: 7 }, "b"),
  ],
  "a compare-and-set refused for nothing": [
    register(0, 1, "m1", 5),
    at(2, 3, { op: "cas", mark: "m2", index: 5 }, { applied: false, index: 0 }),
  ],
  "a mark that nobody wrote": [read(0, 1, "m1", 5)],
  "a failed write acted": [{ ...register(0, 1, "m1", 0), outcome: "failed" }, read(2, 3, "m1", 5)],
  "a write acted twice": [
    unknown(0, { op: "register", mark: "m1" }),
    read(1, 2, "m1", 5),
    register(3, 4, "m2", 6),
    read(5, 6, "m1", 7),
  ],
  "a purged job is read": [
    register(0, 1, "m1", 5),
    at(2, 3, { op: "deregister", purge: true }, { applied: true, index: 6 }),
    read(4, 5, "m1", 5),
  ],
  "an index goes back": [register(0, 1, "m1", 5), register(2, 3, "m2", 4)],
};

test.each(Object.entries(GOOD))("linearizable: %s, is accepted", (_, history) => {
  expect(checkLinearizable(history, jobRegister)).toEqual({ ok: true });
});

test.each(Object.entries(BAD))("linearizable: %s, is refused", (_, history) => {
  expect(checkLinearizable(history, jobRegister)).toMatchObject({ ok: false, reason: "not linearizable", key: "web" });
});

test("linearizable: a fault in one of many objects, is named with what explains nothing", () => {
  const good = Array.from({ length: 50 }, (_, n) => ({ ...register(n, n + 1, `m${n}`, n + 1), key: `job-${n}` }));
  const bad = [register(0, 1, "x", 5), read(2, 3, null, 0)];
  const verdict = checkLinearizable([...good, ...bad], jobRegister);
  expect(verdict).toMatchObject({ ok: false, key: "web", explained: [bad[0]], unexplained: [bad[1]] });
});

test("linearizable: 2,000 operations of six clients with unknown ones among them, are decided in a moment", () => {
  const history: JobOperation[] = [];
  let index = 1;
  for (let n = 0; n < 2000; n++) {
    if (n % 50 === 7) history.push(unknown(n, { op: "register", mark: `lost-${n}` }));
    if (n % 2 === 0) history.push({ ...register(n, n + 5.5, `m${n}`, ++index), client: `c${n % 6}` });
    else history.push({ ...read(n + 4.6, n + 4.7, `m${n - 1}`, index), client: `c${n % 6}` });
  }
  expect(checkLinearizable(history, jobRegister, 200_000)).toEqual({ ok: true });
});

test("linearizable: a search that is too long, is undecided", () => {
  const history = [...Array(12).keys()].map((n) => ({ ...register(0, 9, `m${n}`, 5), client: `c${n}` }));
  const verdict = checkLinearizable([...history, read(10, 11, "nobody's", 5)], jobRegister, 100);
  expect(verdict).toMatchObject({ ok: false, reason: "undecided" });
});

/** A register of small numbers, so that random histories are often right. */
interface Cell {
  readonly op: "read" | "write" | "swap";
  readonly value: number;
  readonly from: number;
}

const cell: Model<number, Cell, number | boolean> = {
  initial: 0,
  step(state, { op, value, from }, result) {
    if (op === "read") return result === undefined || result === state ? state : undefined;
    if (op === "write") return value;
    const swaps = state === from;
    if (result === undefined || result === swaps) return swaps ? value : state;
    return undefined;
  },
  identity: String,
};

const cellOperation = fc
  .record({
    op: fc.constantFrom("read" as const, "write" as const, "swap" as const),
    ...{ value: fc.nat(2), from: fc.nat(2), start: fc.nat(12), length: fc.nat(6), swapped: fc.boolean() },
    outcome: fc.constantFrom("ok" as const, "ok" as const, "ok" as const, "unknown" as const, "failed" as const),
  })
  .map(({ op, value, from, start, length, swapped, outcome }): Operation<Cell, number | boolean> => {
    const result = op === "swap" ? swapped : op === "read" ? value : true;
    return { client: "c", key: "k", call: { op, value, from }, start, end: start + length, outcome, result };
  });

/** Tries every order. */
function bruteForce(history: readonly Operation<Cell, number | boolean>[], state: number): boolean {
  if (history.every(({ outcome }) => outcome !== "ok")) return true;
  const firstEnd = Math.min(...history.filter(({ outcome }) => outcome === "ok").map(({ end }) => end as number));
  return history.some((operation) => {
    if (operation.outcome === "failed" || operation.start > firstEnd) return false;
    const next = cell.step(state, operation.call, operation.outcome === "ok" ? operation.result : undefined);
    return (
      next !== undefined &&
      bruteForce(
        history.filter((other) => other !== operation),
        next,
      )
    );
  });
}

test("linearizable: any small history, is judged as by trying every order", () => {
  const seen = { right: 0, wrong: 0 };
  fc.assert(
    fc.property(fc.array(cellOperation, { maxLength: 7 }), (history) => {
      const expected = bruteForce(history, cell.initial);
      seen[expected ? "right" : "wrong"] += 1;
      expect(checkLinearizable(history, cell).ok).toBe(expected);
    }),
    { numRuns: 2000 },
  );
  expect(Math.min(seen.right, seen.wrong)).toBeGreaterThan(200);
});
