import { expect, test } from "vitest";
import { checkExactlyOnce, describeFaults } from "./exactly-once.ts";

const WRITES = [
  { mark: "a", outcome: "ok" },
  { mark: "b", outcome: "unknown" },
  { mark: "c", outcome: "failed" },
] as const;

test("exactly once: each acknowledged write acted once, finds nothing", () => {
  for (const effects of [["a"], ["a", "b"]]) {
    expect(describeFaults(checkExactlyOnce(WRITES, effects))).toBeUndefined();
  }
});

test("exactly once: writes lost, doubled, revived or invented, are named", () => {
  const faults = checkExactlyOnce(WRITES, ["b", "b", "c", "d"]);
  expect(faults).toEqual({ lost: ["a"], doubled: ["b"], revived: ["c"], invented: ["d"] });
  expect(describeFaults(faults)).toBe("lost: a; doubled: b; revived: c; invented: d");
});
