import { expect, test } from "vitest";
import { behind, isSnapshotDue, isUrgent } from "./snapshot-due.ts";

const LIMITS = { snapshotEntries: 100, snapshotBytes: 6_400, snapshotAgeMs: 1_000 };

test.each([
  ["nothing was applied", { entries: 0, ageMs: 5_000 }, false],
  ["little was applied", {}, false],
  ["so many entries", { entries: 100 }, true],
  ["it is so old", { ageMs: 1_000 }, true],
  ["so many bytes, and it is quiet", { bytes: 6_400 }, true],
  ["so many bytes, in a burst", { bytes: 6_400, bytesOfPeriod: 101 }, false],
  ["twice as many, in a burst", { bytes: 12_800, bytesOfPeriod: 101 }, true],
])("snapshot, %s", (_, since, due) => {
  expect(isSnapshotDue({ entries: 1, bytes: 10, bytesOfPeriod: 10, ageMs: 10, ...since }, LIMITS)).toBe(due);
});

test.each([
  ["as far behind as a burst may leave it", { entries: 299, bytes: 12_800 }, false],
  ["three times the entries behind", { entries: 300, bytes: 0 }, true],
  ["three times the bytes behind", { entries: 1, bytes: 19_200 }, true],
])("snapshot, %s: urgent %j", (_, since, urgent) => {
  expect(isUrgent(since, LIMITS)).toBe(urgent);
});

test.each([
  ["a small snapshot", 6_400, LIMITS],
  ["one of three times the bytes allowed", 19_200, { ...LIMITS, snapshotEntries: 300, snapshotBytes: 19_200 }],
])("limits behind %s", (_, bytes, limits) => {
  expect(behind(bytes, LIMITS)).toEqual(limits);
});
