import { Lease } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { claimAtMs, decideHolder, type SeenLease, see, seeAtStart, timingOf } from "./decide.ts";

const timing = timingOf(3_000);
const S = 1e9;
const lease = (fields: Partial<Lease>) => Lease.create({ Term: 4, Holder: "a", Index: 7, ...fields });

describe("lease, seen by others", () => {
  test.each([
    ["never claimed", undefined, 100 * S, { term: 0, holder: "", index: 0, free: true, runsOutMs: 500 }],
    [
      "just renewed",
      lease({ Expires: 103 * S }),
      100 * S,
      { term: 4, holder: "a", index: 7, free: false, runsOutMs: 3_500 },
    ],
    ["released", lease({ Expires: 100 * S }), 100 * S, { term: 4, holder: "a", index: 7, free: true, runsOutMs: 500 }],
    [
      "run out in log time",
      lease({ Expires: 90 * S }),
      100 * S,
      { term: 4, holder: "a", index: 7, free: true, runsOutMs: 500 },
    ],
  ])("%s", (_, given, logTime, expected) => {
    expect(see(given, logTime, 500)).toEqual(expected);
  });

  test.each([
    ["the region was down for long", 200 * S, 1_500],
    ["the holder may just have died", 104 * S, 3_000],
    ["the own clock is behind", 50 * S, 3_000],
  ])("at start, %s", (_, wallNs, runsOutMs) => {
    expect(seeAtStart(lease({ Expires: 103 * S }), 100 * S, wallNs, 0, timing).runsOutMs).toBe(runsOutMs);
  });

  test("jitter, is a tenth of its life, and much less when it is free", () => {
    const seen: SeenLease = { term: 4, holder: "a", index: 7, free: false, runsOutMs: 3_000 };
    expect([claimAtMs(seen, 0, timing), claimAtMs(seen, 1, timing)]).toEqual([3_000, 3_300]);
    expect(claimAtMs({ ...seen, free: true }, 1, timing)).toBe(3_030);
  });
});

describe("lease, held", () => {
  const held = { term: 4, sentMs: 1_000, renewing: false, renewAtMs: 2_000 };
  const seen: SeenLease = { term: 4, holder: "me", index: 7, free: false, runsOutMs: 4_000 };
  test.each([
    ["fresh", 1_500, held, seen, { kind: "wait", ms: 500 }],
    ["a third gone", 2_000, held, seen, { kind: "renew" }],
    ["renewal under way", 2_000, { ...held, renewing: true }, seen, { kind: "wait", ms: 1_700 }],
    [
      "renewal did not come",
      3_700,
      { ...held, renewing: true },
      seen,
      { kind: "resign", reason: "term 4 was not renewed in time" },
    ],
    [
      "another took it",
      1_001,
      held,
      { ...seen, term: 5, holder: "b" },
      { kind: "resign", reason: "term 5 is held by b" },
    ],
    ["own claim not applied here yet", 1_001, held, { ...seen, term: 3 }, { kind: "wait", ms: 999 }],
  ])("%s", (_, nowMs, holding, seeing, expected) => {
    expect(decideHolder(holding, seeing, nowMs, timing)).toEqual(expected);
  });

  // The worst case: the claim was seen at once, the holder's clock runs slow and the other's fast.
  test.each([0, 0.001, 0.05])("clocks off by %d each, the holder ends before the other begins", (off) => {
    const endsAtMs = timing.safeForMs / (1 - off);
    const beginsAtMs = claimAtMs(see(lease({ Expires: 3 * S }), 0, 0), 0, timing) / (1 + off);
    expect(endsAtMs).toBeLessThan(beginsAtMs);
  });
});
