import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packTimes, unpackTimes } from "./packed-times.ts";

const time = fc.oneof(
  fc.integer({ min: 1, max: 1.8e18 }),
  fc.integer({ min: 1.7e18, max: 1.70001e18 }),
  fc.constantFrom(1, 2 ** 51, 2 ** 52, 2 ** 53, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, -1, 0.5),
);

describe("packed times", () => {
  it("any times: the same again", () => {
    fc.assert(fc.property(fc.array(time), (times) => void expect(unpackTimes(packTimes(times))).toEqual(times)));
  });

  it("seconds apart: nine bytes for the first, six at most for each other", () => {
    const start = 1.8e18;
    const times = [start, start - 3e9, start - 2e9, start + 60e9];
    expect(packTimes(times).length).toBeLessThanOrEqual(9 + 3 * 6);
    expect(unpackTimes(packTimes(times))).toEqual(times);
  });
});
