import { describe, expect, test } from "vitest";
import { htmlReport } from "../chaos/report.ts";
import { longestGap, percentile } from "../kit/samples.ts";
import { figuresOf } from "./figures.ts";
import { type Done, STEADY, type Step } from "./load.ts";

const MOMENTS = { fault: 1_000, healed: 2_000, end: 3_000 };

function done(fields: Partial<Done>): Done {
  return { region: "us", client: "c", kind: "write", start: 0, end: 0, outcome: "ok", ...fields };
}

const register = (mark: string, start: number, outcome: Step["outcome"] = "ok"): Step => ({
  client: "c",
  key: "us/j",
  call: { op: "register", mark },
  start,
  end: start + 1,
  outcome,
  ...(outcome === "ok" && { result: { applied: true, index: start } }),
});
const read = (mark: string, index: number, start: number): Step => ({
  client: "c",
  key: "us/j",
  call: { op: "read" },
  start,
  end: start + 1,
  outcome: "ok",
  result: { mark, index, stopped: false },
});

describe("figures", () => {
  test.each([
    [[], 1_000],
    [[1_200, 1_900], 700],
    [[500, 1_999, 2_500], 999],
  ])("longest gap from 1,000 to 2,000 among %j, is %i", (times, expected) => {
    expect(longestGap(times, 1_000, 2_000)).toBe(expected);
  });

  test("percentile, is the least number that so many do not pass", () => {
    expect(percentile([], 0.99)).toBe(0);
    expect(percentile([3, 1, 2], 0.5)).toBe(2);
    expect(
      percentile(
        Array.from({ length: 100 }, (_, n) => n + 1),
        0.99,
      ),
    ).toBe(99);
  });

  test("region under fault, its gaps, its tasks and the requests for it, are told", () => {
    const load = {
      done: [
        done({ start: 900, end: 910 }),
        done({ start: 1_000, end: 1_800 }),
        done({ start: 2_900, end: 2_990, outcome: "unknown" }),
        done({ kind: "schedule", end: 2_500 }),
        done({
          region: "eu",
          kind: "forward",
          to: "us",
          start: 1_100,
          end: 1_400,
          outcome: "failed",
          text: "No path to region",
        }),
      ],
      history: [],
      steadiness: [STEADY, STEADY - 1, STEADY].map((running, n) => ({
        region: "us" as const,
        at: 900 + n * 600,
        running,
      })),
    };
    const { regions, ...counts } = figuresOf(load, [], ["us"], ["us", "eu"], MOMENTS);

    expect(counts).toMatchObject({ tried: 3, acknowledged: 2, unknown: 1, lost: 0, doubled: 0, objections: [] });
    expect(regions).toMatchObject([
      {
        faulted: true,
        longestGapMs: 1_200,
        longestGapBeforeMs: 90,
        longestSchedulingGapMs: 1_500,
        allRunAgainMs: 1_100,
        p99BeforeMs: 10,
        p99DuringMs: 800,
      },
      { faulted: false, slowestForwardMs: 300, forwardAnswers: ["No path to region"] },
    ]);
  });

  test("what is lost, doubled or read out of order, is objected to", () => {
    const dispatched = ["a", "b"].map((mark) => done({ kind: "dispatch", mark }));
    const load = {
      done: dispatched,
      history: [register("x", 10), register("y", 20), read("x", 10, 30)],
      steadiness: [],
    };
    const figures = figuresOf(load, ["b", "b"], ["us"], ["us"], MOMENTS);

    expect(figures).toMatchObject({ lost: 2, doubled: 1 });
    expect(figures.objections).toEqual(["lost: a", "doubled: b", expect.stringMatching(/^us\/j is not linearizable/)]);
  });

  test("report, shows each scenario with its plot and its objections, escaped", () => {
    const outcome = {
      name: "kill <one>",
      region: "us" as const,
      what: "killed",
      figures: figuresOf({ done: [], history: [], steadiness: [] }, ["ghost"], ["us"], ["us"], MOMENTS),
      targets: [],
      moments: MOMENTS,
      timeline: [{ at: 1_000, text: "fault" }],
      done: [done({ start: 900, end: 905 }), done({ start: 1_500, end: 2_400, outcome: "unknown" })],
      history: [],
    };
    const html = htmlReport([outcome], { seed: "7", minutes: "1" });

    expect(html).toContain("kill &lt;one&gt; (us)");
    expect(html.match(/<circle/g)).toHaveLength(2);
    expect(html).toContain("OBJECTION invented: ghost");
  });
});
