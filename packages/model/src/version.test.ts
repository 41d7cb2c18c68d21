import { describe, expect, it } from "vitest";
import { compileRegexp } from "./regexp.ts";
import { parseConstraints, satisfies, type VersionKind } from "./version.ts";

function holds(kind: VersionKind, constraint: string, version: string): boolean {
  const parsed = parseConstraints(constraint, kind);
  if ("error" in parsed) throw new Error(parsed.error);
  return satisfies(parsed, version);
}

describe("version", () => {
  it.each([
    ["1.2.3", "1.2.3", true],
    ["= 1.2", "1.2.0", true],
    ["!= 1.2", "1.2.1", true],
    [">= 1.0, < 1.4", "1.3.9", true],
    [">= 1.0, < 1.4", "1.4", false],
    [" >=v1.0 ", "v1.0.0", true],
    ["~> 1.2", "1.9", true],
    ["~> 1.2", "2.0", false],
    ["~> 1.2.3", "1.2.9", true],
    ["~> 1.2.3", "1.3.0", false],
    ["~> 1.2.3", "1.2.2", false],
    ["~> 1.2.3.4", "1.2.3", false],
    ["> 1.0", "1.1-beta", false],
    [">= 1.1-beta", "1.1-rc1", true],
    [">= 1.1-beta", "1.2-rc1", false],
    [">= 1.1-beta", "1.1", true],
    ["~> 1.1-beta", "1.1.0", false],
    ["!= 1.0", "1.0-beta", true],
    ["< 1.1", "1.0+ent", true],
    ["= 1.0+ent", "1.0+oss", true],
    [">= 5.10", "5.9", false],
    ["> 1.0", "nonsense", false],
  ])("%s with %s: %s", (constraint, version, expected) => {
    expect(holds("version", constraint, version)).toBe(expected);
  });

  it.each([
    [">= 1.0.0-beta", "1.1.0-alpha", true],
    ["> 1.0.0", "1.1.0-beta", true],
    ["< 1.0.0", "1.0.0-beta", true],
    [">= 1.0.0-beta.2", "1.0.0-beta.11", true],
    [">= 1.0.0-alpha.1", "1.0.0-alpha.beta", true],
    ["= 1.0.0", "1.0.0beta", false],
  ])("semver %s with %s: %s", (constraint, version, expected) => {
    expect(holds("semver", constraint, version)).toBe(expected);
  });

  it.each([
    ["version", "nope", "Malformed constraint: nope"],
    ["version", ">= 1.0, ", "Malformed constraint:  "],
    ["version", "=> 1", "Malformed constraint: => 1"],
    ["semver", "~> 1.0", "Malformed constraint: ~> 1.0"],
    ["version", "", "Malformed constraint: "],
  ] as const)("%s constraint %j: refused", (kind, constraint, error) => {
    expect(parseConstraints(constraint, kind)).toEqual({ error });
  });
});

describe("regexp", () => {
  it("found anywhere, in Go's syntax", () => {
    const regexp = compileRegexp("(?i)^lin[[:alpha:]]+");
    if ("error" in regexp) throw new Error(regexp.error);
    expect([regexp.matches("Linux"), regexp.matches("a linux")]).toEqual([true, false]);
  });

  it("what Go refuses: refused in its words", () => {
    expect(compileRegexp("[")).toEqual({ error: "error parsing regexp: missing closing ]: `[`" });
    expect(compileRegexp("(?=a)")).toHaveProperty("error");
  });
});
