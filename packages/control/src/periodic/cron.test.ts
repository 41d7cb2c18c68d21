import { Job } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { cronError, latestLaunch, nextLaunch } from "./cron.ts";

type Periodic = NonNullable<Job["Periodic"]>;
const ns = (time: string) => Date.parse(time) * 1e6;
const text = (time: number | undefined) => (time === undefined ? undefined : new Date(time / 1e6).toISOString());

function periodic(fields: Partial<Periodic>): Periodic {
  const job = Job.create({ Periodic: { Enabled: true, SpecType: "cron", ...fields } });
  return job.Periodic as Periodic;
}

describe("cron", () => {
  test.each([
    ["five fields", "*/15 * * * *", "2026-03-01T00:15:00.000Z"],
    ["six fields, the last is the year", "0 12 * * * 2027", "2027-01-01T12:00:00.000Z"],
    ["seven fields, the first is the second", "*/5 * * * * * *", "2026-03-01T00:00:05.000Z"],
    ["a nickname", "@daily", "2026-03-02T00:00:00.000Z"],
    ["a day that never comes", "0 0 31 2 *", undefined],
    ["no cron expression", "bogus", undefined],
  ])("%s", (_, Spec, expected) => {
    expect(text(nextLaunch(periodic({ Spec }), ns("2026-03-01T00:00:00Z")))).toBe(expected);
  });

  test("several expressions, the earliest counts forwards and the latest backwards", () => {
    const both = periodic({ Specs: ["0 * * * *", "30 * * * *"] });
    expect(text(nextLaunch(both, ns("2026-03-01T10:10:00Z")))).toBe("2026-03-01T10:30:00.000Z");
    expect(text(latestLaunch(both, ns("2026-03-01T10:40:00Z")))).toBe("2026-03-01T10:30:00.000Z");
  });

  test("on a tick, the next is later and the latest is that one", () => {
    const hourly = periodic({ Spec: "0 * * * *" });
    expect(text(nextLaunch(hourly, ns("2026-03-01T10:00:00Z")))).toBe("2026-03-01T11:00:00.000Z");
    expect(text(latestLaunch(hourly, ns("2026-03-01T10:00:00Z")))).toBe("2026-03-01T10:00:00.000Z");
  });

  test("clocks go forward, a time in the gap runs right after it, and the day is not left out", () => {
    const night = periodic({ Spec: "30 2 * * *", TimeZone: "Europe/Berlin" });
    const first = nextLaunch(night, ns("2026-03-28T12:00:00Z"));
    expect(text(first)).toBe("2026-03-29T01:00:00.000Z");
    expect(text(nextLaunch(night, first ?? 0))).toBe("2026-03-30T00:30:00.000Z");
  });

  test("clocks go back, a time that comes twice runs once", () => {
    const night = periodic({ Spec: "30 2 * * *", TimeZone: "Europe/Berlin" });
    const first = nextLaunch(night, ns("2026-10-24T12:00:00Z"));
    expect(text(first)).toBe("2026-10-25T00:30:00.000Z");
    expect(text(nextLaunch(night, first ?? 0))).toBe("2026-10-26T01:30:00.000Z");
  });

  test.each([
    ["* * * * *", "UTC", true],
    ["@hourly", "America/New_York", true],
    ["61 * * * *", "UTC", false],
    ["* * * *", "UTC", false],
    ["* * * * *", "Nowhere/Atall", false],
  ])("%s in %s, is valid: %s", (spec, timeZone, valid) => {
    expect(cronError(spec, timeZone) === undefined).toBe(valid);
  });
});
