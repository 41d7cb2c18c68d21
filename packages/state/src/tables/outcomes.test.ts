import { Outcome } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { OutcomeTable, REMEMBER_MAX, REMEMBER_NS } from "./outcomes.ts";

const WHOLE: Outcome = {
  Index: 7,
  Refusal: { Code: "not-found", Message: "job not found" },
  EvalID: "evaluation",
  EvalCreateIndex: 6,
  JobModifyIndex: 5,
  Warnings: ["a warning"],
  JobID: "child",
  RejectedNodes: ["node"],
  Placed: 4,
  Term: 3,
  EvalIDs: ["other"],
  DeploymentModifyIndex: 2,
  RevertedJobVersion: 1,
  Updated: true,
  JobCreateIndex: 8,
  VersionTag: { Name: "tag", Description: "", TaggedTime: 1 },
  Fingerprint: "asked",
  Removed: 9,
  Conflict: true,
  Rollout: 10,
};

function idsOf(table: OutcomeTable): string[] {
  return [...table.entries()].map(([id]) => id);
}

describe("OutcomeTable", () => {
  it.each(Object.keys(WHOLE) as (keyof Outcome)[])("an outcome that tells its %s: told again as it was", (field) => {
    const outcome = { ...Outcome.create(), [field]: WHOLE[field] };
    const table = new OutcomeTable();
    table.remember("a", { ...outcome }, 5);
    expect(table.get("a")).toEqual(outcome);
    expect([...table.entries()].map(([id, { time, outcome }]) => ({ id, time, outcome }))).toEqual([
      { id: "a", time: 5, outcome },
    ]);
  });

  it("ten minutes later: what came at that time is forgotten, and nothing younger", () => {
    const table = new OutcomeTable();
    for (let n = 0; n < 5_000; n++) table.remember(`${n}`, Outcome.create({ Index: n }), n);
    table.remember("last", Outcome.create(), REMEMBER_NS + 4_000);
    expect(idsOf(table)).toEqual([...Array.from({ length: 999 }, (_, n) => `${n + 4_001}`), "last"]);
    expect(table.get("4000")).toBeUndefined();
    expect(table.get("4001")?.Index).toBe(4_001);
  });

  it("restored, then a request that comes long after: goes on with those that are young enough", () => {
    const table = new OutcomeTable();
    for (let n = 0; n < 10; n++) table.restore(`${n}`, { outcome: Outcome.create(), time: n });
    table.remember("last", Outcome.create(), REMEMBER_NS + 7);
    expect(idsOf(table)).toEqual(["8", "9", "last"]);
  });

  // To find the oldest of a map by walking over what was deleted took minutes for as many.
  it("more than are remembered: bounded, oldest first, and no slower for those that were forgotten", () => {
    const table = new OutcomeTable();
    const outcome = Outcome.create();
    const count = REMEMBER_MAX + 120_000;
    for (let n = 0; n < count; n++) table.remember(`${n}`, outcome, 1);
    expect(table.size).toBe(REMEMBER_MAX);
    expect(table.get(`${count - REMEMBER_MAX - 1}`)).toBeUndefined();
    expect(idsOf(table)[0]).toBe(`${count - REMEMBER_MAX}`);
  }, 20_000);
});
