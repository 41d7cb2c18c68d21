import { Evaluation } from "@steppe/proto";
import { expect, test } from "vitest";
import { DelayedEvaluations, notBeforeNs } from "./delayed.ts";

const waiting = (ID: string, WaitUntil: number) => Evaluation.create({ ID, WaitUntil });

test("delayed evaluations: several times, come out in order and when due", () => {
  const delayed = new DelayedEvaluations();
  for (const [id, at] of [
    ["c", 30],
    ["a", 10],
    ["b", 20],
    ["gone", 5],
  ] as const)
    delayed.add(waiting(id, at));
  delayed.remove("gone");
  expect(delayed.nextDueNs()).toBe(10);
  expect(delayed.takeDue(9)).toEqual([]);
  expect(delayed.takeDue(20).map(({ ID }) => ID)).toEqual(["a", "b"]);
  expect([delayed.size, delayed.nextDueNs()]).toEqual([1, 30]);
});

test("delayed evaluations: the older form, waits from when it was made", () => {
  expect(notBeforeNs(Evaluation.create({ Wait: 5, CreateTime: 100 }))).toBe(105);
  expect(notBeforeNs(Evaluation.create({}))).toBe(0);
});
