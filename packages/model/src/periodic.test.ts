import { describe, expect, it } from "vitest";
import { mockBatchJob } from "./fixtures.ts";
import {
  cronSpecs,
  isParameterized,
  isPeriodicActive,
  launchTimeOf,
  periodicChild,
  periodicChildId,
} from "./periodic.ts";
import { SECOND } from "./time.ts";

const parent = () =>
  mockBatchJob({ ID: "nightly", Name: "nightly", Periodic: { Spec: "0 3 * * *" }, Version: 3, Stable: true });
const launch = 1_700_000_000 * SECOND;

describe("periodic", () => {
  it("a launch: a child of its own, the parent untouched", () => {
    const job = parent();
    const child = periodicChild(job, launch + 5e8);
    expect(child).toMatchObject({
      ID: "nightly/periodic-1700000000",
      Name: "nightly/periodic-1700000000",
      ParentID: "nightly",
      Periodic: undefined,
      Version: 0,
      Stable: false,
      Status: "",
      JobModifyIndex: 0,
      Meta: job.Meta,
    });
    expect(child.TaskGroups).toEqual(job.TaskGroups);
    expect(child.TaskGroups[0]).not.toBe(job.TaskGroups[0]);
    expect(job).toEqual(parent());
  });

  it("a child's ID: tells its launch", () => {
    expect(launchTimeOf(periodicChildId("a/b", launch))).toBe(launch);
    expect(launchTimeOf("nightly")).toBeUndefined();
  });

  it("launching: only enabled, not stopped, not a template for dispatches", () => {
    expect(isPeriodicActive(parent())).toBe(true);
    expect(isPeriodicActive({ ...parent(), Stop: true })).toBe(false);
    expect(isPeriodicActive(mockBatchJob({ Periodic: { Enabled: false } }))).toBe(false);
    const template = mockBatchJob({ Periodic: {}, ParameterizedJob: {} });
    expect([isPeriodicActive(template), isParameterized(template)]).toEqual([false, true]);
    expect(isPeriodicActive({ ...template, Dispatched: true })).toBe(true);
  });

  it("cron expressions: one or several", () => {
    expect(cronSpecs(parent())).toEqual(["0 3 * * *"]);
    expect(cronSpecs(mockBatchJob({ Periodic: { Specs: ["a", "b"] } }))).toEqual(["a", "b"]);
    expect(cronSpecs(mockBatchJob())).toEqual([]);
  });
});
