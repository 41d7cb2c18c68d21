import { Evaluation } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { BlockedEvaluations } from "./blocked.ts";

function blocked(id: string, fields: Partial<Evaluation> = {}): Evaluation {
  const base = { ID: id, Namespace: "default", JobID: `job-${id}`, Type: "service", Status: "blocked" };
  return Evaluation.create({ ...base, CreateIndex: 10, SnapshotIndex: 10, ...fields });
}

const ids = (evaluations: readonly Evaluation[]) => evaluations.map(({ ID }) => ID);

describe("blocked evaluations", () => {
  test.each([
    ["a class it can use", { ClassEligibility: { small: true } }, true],
    ["a class it cannot use", { ClassEligibility: { small: false } }, false],
    ["a class it does not know", { ClassEligibility: { large: false } }, true],
    [
      "any class, when its constraints reach beyond classes",
      { ClassEligibility: { small: false }, EscapedComputedClass: true },
      true,
    ],
    ["any class, when its job wants every node", { ClassEligibility: { small: false }, Type: "system" }, true],
  ])("capacity freed in %s", (_, fields, woken) => {
    const tracker = new BlockedEvaluations();
    tracker.block(blocked("a", fields));
    expect(ids(tracker.freed(["small"], 20))).toEqual(woken ? ["a"] : []);
    expect(tracker.size).toBe(woken ? 0 : 1);
  });

  test("capacity freed after its snapshot and before it came, is not missed", () => {
    const tracker = new BlockedEvaluations();
    tracker.freed(["small"], 15);
    expect(tracker.block(blocked("a", { SnapshotIndex: 14 }))).toBe("missed");
    expect(tracker.block(blocked("b", { SnapshotIndex: 15 }))).toBe("blocked");
    expect(tracker.block(blocked("c", { SnapshotIndex: 14, ClassEligibility: { small: false } }))).toBe("blocked");
  });

  test("a time when nobody watched, is taken to have freed everything", () => {
    const tracker = new BlockedEvaluations(30);
    expect(tracker.block(blocked("a", { SnapshotIndex: 29, ClassEligibility: { small: false } }))).toBe("missed");
    expect(tracker.block(blocked("b", { SnapshotIndex: 30 }))).toBe("blocked");
  });

  test("a newer one of the same job, takes the place of the older", () => {
    const tracker = new BlockedEvaluations();
    const older = blocked("older", { JobID: "web" });
    tracker.block(older);
    tracker.block(blocked("newer", { JobID: "web", CreateIndex: 12 }));
    tracker.remove(older);
    expect(ids(tracker.freed(["any"], 20))).toEqual(["newer"]);
  });

  test("the same one again, is there once", () => {
    const tracker = new BlockedEvaluations();
    tracker.block(blocked("a"));
    expect(tracker.block(blocked("a", { SnapshotIndex: 19 }))).toBe("blocked");
    expect(tracker.size).toBe(1);
  });

  test("one that lost too many races, is tried again by time", () => {
    const tracker = new BlockedEvaluations();
    tracker.block(blocked("a"));
    tracker.block(blocked("b", { TriggeredBy: "max-plan-attempts" }));
    expect(ids(tracker.conflicted())).toEqual(["b"]);
  });
});
