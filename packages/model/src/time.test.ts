import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, formatTime, HOUR, MINUTE, parseDuration, parseTime, SECOND } from "./time.ts";

describe("points in time", () => {
  it.each([
    [0, "0001-01-01T00:00:00Z"],
    [SECOND, "1970-01-01T00:00:01Z"],
    [1_700_000_000 * SECOND, "2023-11-14T22:13:20Z"],
    [1_582_934_400 * SECOND + 500_000_000, "2020-02-29T00:00:00.5Z"],
    [-SECOND, "1969-12-31T23:59:59Z"],
  ])("%d: %s, both ways", (nanoseconds, text) => {
    expect(formatTime(nanoseconds)).toBe(text);
    expect(parseTime(text)).toBe(nanoseconds);
  });

  it("any time a double can hold, through its text, is the same number", () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 4e18, noNaN: true }).map(Math.floor), (nanoseconds) => {
        expect(parseTime(formatTime(nanoseconds))).toBe(nanoseconds);
      }),
    );
  });

  it("any time, same date as the platform's calendar", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4_000_000_000 }), (seconds) => {
        expect(formatTime(seconds * SECOND)).toBe(`${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`);
      }),
    );
  });

  it("an offset: the same instant in UTC", () => {
    expect(parseTime("2023-11-15T00:13:20+02:00")).toBe(1_700_000_000 * SECOND);
  });

  it.each([
    "",
    "2023-11-14",
    "2023-02-29T00:00:00Z",
    "2023-13-01T00:00:00Z",
    "2023-04-31T00:00:00Z",
    "2023-01-01T24:00:00Z",
    "x",
  ])("%j: no time", (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});

describe("durations", () => {
  it.each([
    [0, "0s"],
    [1, "1ns"],
    [1500, "1.5µs"],
    [20e6, "20ms"],
    [1.5 * SECOND, "1.5s"],
    [90 * SECOND, "1m30s"],
    [HOUR, "1h0m0s"],
    [24 * HOUR + 30 * MINUTE, "24h30m0s"],
    [-2e6, "-2ms"],
  ])("%d: %s, both ways", (nanoseconds, text) => {
    expect(formatDuration(nanoseconds)).toBe(text);
    expect(parseDuration(text)).toBe(nanoseconds);
  });

  it.each([
    ["0", 0],
    ["+5s", 5 * SECOND],
    ["1.5h", 1.5 * HOUR],
    [".5s", 0.5 * SECOND],
  ])("%s: read", (text, nanoseconds) => {
    expect(parseDuration(text)).toBe(nanoseconds);
  });

  it.each(["", "5", "5 s", "s", "1d", "-", "1h30"])("%j: no duration", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});
