import { expect, test } from "vitest";
import { regionNames, regionToken } from "./region-name.ts";

test("region token: plain names stand for themselves", () => {
  expect(regionToken("global")).toBe("global");
  expect(regionToken("eu-west-1")).toBe("eu-west-1");
});

test("region token: names that differ stay different, and none breaks a subject", () => {
  const names = ["a.b", "a_b", "a_2eb", "a b", "a*b", "a>b", "a/b", "ä", "A.B", "a", "a_", "_a"];
  const tokens = names.map(regionToken);
  expect(new Set(tokens).size).toBe(names.length);
  for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
});

test("region names: the log is not on the bus", () => {
  const { logSubject, busPrefix } = regionNames("eu");
  expect(logSubject).toBe("steppe.eu.log");
  expect(logSubject.startsWith(busPrefix)).toBe(false);
});

test("region token: an empty name, throws", () => {
  expect(() => regionToken("")).toThrow("empty");
});
