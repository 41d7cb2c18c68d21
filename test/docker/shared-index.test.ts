import { expect, test } from "vitest";
import type { Step } from "./load.ts";
import { sharedIndexes } from "./shared-index.ts";

const register = (mark: string, start: number, end: number, index: number): Step => ({
  ...{ client: mark, key: "us/j", call: { op: "register", mark }, start, end, outcome: "ok" },
  result: { applied: true, index },
});
const read = (mark: string, index: number, start: number): Step => ({
  ...{ client: "r", key: "us/j", call: { op: "read" }, start, end: start + 1, outcome: "ok" },
  result: { mark, index, stopped: false },
});

test("shared indexes: two registrations of one entry, are told and explain the history", () => {
  expect(sharedIndexes([register("a", 0, 5, 7), register("b", 0, 6, 7), read("b", 7, 8)])).toEqual({
    shared: [{ key: "us/j", index: 7, marks: ["a", "b"], at: 6 }],
    explained: true,
  });
});

test("shared indexes: a write is lost besides, do not explain it", () => {
  const history = [register("a", 0, 5, 7), register("b", 0, 6, 7), register("c", 7, 8, 9), read("b", 7, 10)];
  expect(sharedIndexes(history)).toMatchObject({ explained: false, shared: [{ index: 7 }] });
});

test("shared indexes: one at which nothing else could have come, does not excuse a later one", () => {
  const history = [register("a", 0, 1, 7), register("b", 2, 3, 8), register("c", 4, 5, 7), read("c", 7, 8)];
  expect(sharedIndexes(history).explained).toBe(false);
});
