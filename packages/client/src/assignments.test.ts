import { NodeAllocations } from "@steppe/proto";
import { expect, test } from "vitest";
import { decideChanges, type LocalAllocation } from "./assignments.ts";
import { assignedTo, jobOf } from "./testing/fixtures.ts";

const job = jobOf([{}]);
const local = (fields: Partial<LocalAllocation> = {}) => {
  const id = assignedTo(job).ID;
  return new Map([[id, { id, index: 10, terminal: false, clientStatus: "running", ...fields }]]);
};
const message = (fields: Partial<NodeAllocations>) => NodeAllocations.create(fields);
const ids = (list: readonly { ID: string }[]) => list.map((assigned) => assigned.ID);
const one = assignedTo(job).ID;

test("assignments: new, to run: started; new but ended or stopped elsewhere: left", () => {
  const allocations = [
    assignedTo(job, 0),
    assignedTo(job, 1, { ClientStatus: "complete" }),
    assignedTo(job, 2, { DesiredStatus: "stop" }),
  ];
  expect(ids(decideChanges(message({ Allocations: allocations }), new Map()).start)).toEqual([one]);
});

test("assignments: known, newer: updated; told to stop: stopped; older than acted on: ignored", () => {
  const newer = assignedTo(job, 0, { AllocModifyIndex: 11 });
  const stopped = assignedTo(job, 0, { AllocModifyIndex: 11, DesiredStatus: "stop" });
  expect(ids(decideChanges(message({ Allocations: [newer] }), local()).update)).toEqual([one]);
  expect(ids(decideChanges(message({ Allocations: [stopped] }), local()).stop)).toEqual([one]);
  expect(ids(decideChanges(message({ Allocations: [stopped] }), local({ index: 12 })).stop)).toEqual([]);
});

test("assignments: complete list without it: forgotten; a change without it: kept", () => {
  expect(decideChanges(message({ Full: true }), local()).forget).toEqual([one]);
  expect(decideChanges(message({}), local()).forget).toEqual([]);
  expect(decideChanges(message({ RemovedIDs: [one] }), local()).forget).toEqual([one]);
});

test("assignments: complete list with another status than here: told again", () => {
  const behind = message({ Full: true, Allocations: [assignedTo(job)] });
  expect(decideChanges(behind, local()).tell).toEqual([one]);
});

test("assignments: a change that says unknown, of what runs here: told again", () => {
  const unknown = message({ Allocations: [assignedTo(job, 0, { ClientStatus: "unknown", AllocModifyIndex: 11 })] });
  expect(decideChanges(unknown, local()).tell).toEqual([one]);
});
