import { describe, expect, test } from "vitest";
import { decideRollout, type Part, partOf } from "./decide.ts";

interface Given {
  readonly status: string;
  readonly before?: Part[];
  readonly after?: Part[];
  readonly maxParallel?: number;
  readonly onFailure?: string;
}

const decide = ({ status, before = [], after = [], maxParallel = 1, onFailure = "" }: Given) => {
  const step = decideRollout({ status, before, after, maxParallel, onFailure });
  return step.kind === "move" ? step.status : step.kind;
};

describe("a rollout over regions decides", () => {
  const rows: [string, Given, string][] = [
    ["the first region: begins", { status: "pending", after: ["waiting", "waiting"] }, "running"],
    ["one before it waits", { status: "pending", before: ["waiting"] }, "wait"],
    ["one before it runs", { status: "pending", before: ["running"] }, "wait"],
    ["one before it is complete", { status: "pending", before: ["done"], after: ["waiting"] }, "running"],
    ["one before it is out of reach: only that one is held back", { status: "pending", before: ["away"] }, "running"],
    ["two at a time, one before it", { status: "pending", before: ["running"], maxParallel: 2 }, "running"],
    ["two at a time, two before it", { status: "pending", before: ["running", "waiting"], maxParallel: 2 }, "wait"],
    ["all at once", { status: "pending", before: ["waiting", "running"], maxParallel: 0 }, "running"],
    ["a user let a later one begin", { status: "pending", after: ["running"] }, "wait"],
    ["complete, others are not", { status: "blocked", before: ["done"], after: ["running"] }, "wait"],
    ["complete, and so are the others", { status: "blocked", before: ["done"], after: ["over"] }, "unblocking"],
    ["complete, the others are out of reach", { status: "blocked", before: ["away"], after: ["done"] }, "unblocking"],
    ["unblocking, another is not yet", { status: "unblocking", after: ["done"] }, "wait"],
    ["unblocking, and so are the others", { status: "unblocking", after: ["over", "away"] }, "successful"],
    ["one failed before it began", { status: "pending", before: ["failed"] }, "fail"],
    ["one failed, it runs", { status: "running", before: ["failed"] }, "wait"],
    ["one failed, it is complete", { status: "blocked", after: ["failed"] }, "wait"],
    ["fail_local: goes on", { status: "pending", before: ["failed"], onFailure: "fail_local" }, "running"],
    ["fail_local: stays complete", { status: "blocked", before: ["failed"], onFailure: "fail_local" }, "wait"],
    ["fail_all: ends what runs", { status: "running", before: ["failed"], onFailure: "fail_all" }, "fail"],
    ["fail_all: ends what is complete", { status: "blocked", after: ["failed"], onFailure: "fail_all" }, "fail"],
    ["paused by a user", { status: "paused" }, "wait"],
  ];
  test.each(rows)("%s", (_, given, step) => expect(decide(given)).toBe(step));

  /** Nothing but what each region decides for itself, in every order of their looking. */
  test.each([0, 1, 2, 3])("%i at a time: three regions come to their end, never more at once", (maxParallel) => {
    const statuses = ["pending", "pending", "pending"];
    for (let round = 0; round < 30; round++) {
      const at = (round * 7) % 3;
      const parts = statuses.map(partOf);
      const status = statuses[at] ?? "";
      const step = decide({ status, before: parts.slice(0, at), after: parts.slice(at + 1), maxParallel });
      if (step !== "wait") statuses[at] = step;
      const running = statuses.filter((it) => it === "running");
      expect(running.length).toBeLessThanOrEqual(maxParallel || 3);
      // Each that runs is complete by the time all have looked again.
      if (round % 3 === 2) for (const [n, it] of statuses.entries()) if (it === "running") statuses[n] = "blocked";
    }
    expect(statuses).toEqual(["successful", "successful", "successful"]);
  });
});
