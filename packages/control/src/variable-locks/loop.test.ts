import { Variable } from "@steppe/proto";
import { expect, test } from "vitest";
import { dueLocks } from "./loop.ts";

const held = (Path: string, Expires: number, TTL: number) =>
  Variable.create({ Namespace: "default", Path, Lock: { ID: `id-${Path}`, TTL, LockDelay: 0, Expires } });

test.each([
  { name: "not over yet, wakes when it is", began: 0, now: 90, due: [], next: 100 },
  { name: "over, is named", began: 0, now: 100, due: ["a"], next: 200 },
  { name: "over before this term began, gets its time again", began: 95, now: 100, due: [], next: 105 },
])("locks of variables: $name", ({ began, now, due, next }) => {
  const found = dueLocks([held("a", 100, 10), held("b", 200, 10)], began, now);
  expect(found.due.map(({ Path, LockID }) => [Path, LockID])).toEqual(due.map((it) => [it, `id-${it}`]));
  expect(found.nextNs).toBe(next);
});
