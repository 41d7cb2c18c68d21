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
    [">= 1.1.0-beta", "1.1.0.0-rc1", false],
    ["~> 1", "7.3", true],
    ["~> 1.2.3.4", "1.2.3.9", true],
    ["~> 1.2.3.4", "1.2.4.4", false],
    ["~> 1.1-beta.1", "1.1-beta.2", true],
    ["= 1.1-beta", "1.1-beta+build7", true],
    ["= 1.1", "1.1-beta", false],
    ["> 1.1-beta.2", "1.1-beta.11", true],
    ["> 1.1-alpha", "1.1-beta", true],
    ["< 1.1", "1.1-beta", false],
    ["< 1.1-rc1", "1.1-beta", true],
    ["> 1.0, != 1.5", "1.5.0", false],
    ["> 1.0, != 1.5, < 2", "1.5.1", true],
    ["= v1.2", "1.2", true],
    ["= 1.2", "1.2.0.0", true],
    ["> 1.0", "1.1beta", false],
    ["> 1.0", "99999999999999999999", false],
    ["> 1.0", " 1.1", false],
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
    [">= 1.6.0", "1.7.0-beta", true],
    [">= 1.7.0", "1.7.0-beta", false],
    ["= 1.7.0", "1.7.0+ent", true],
    ["!= 1.7.0", "1.7.0-beta", true],
    [">= 1.0.0, < 2.0.0", "2.0.0-rc1", true],
    ["> 1.0.0-alpha", "1.0.0-alpha", false],
    ["> 1.0.0-9", "1.0.0-alpha", true],
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

  it.each([
    ["(?i)linux", "LINUX", true],
    ["a(?i:b)c", "aBc", true],
    ["a(?i:b)c", "ABc", false],
    ["(?s)a.b", "a\nb", true],
    ["a.b", "a\nb", false],
    ["(?m)^b$", "a\nb", true],
    ["^b$", "a\nb", false],
    ["\\Alinux\\z", "linux", true],
    ["linux\\z", "linux\n", false],
    ["^[[:digit:]]+$", "42", true],
    ["^[^[:space:]]+$", "a b", false],
    ["(?P<os>linux)", "linux", true],
    ["(?<os>linux)", "linux", true],
    ["(?U)^a+$", "aaa", true],
    ["^\\pL+$", "größe", true],
    ["^\\Q1.2\\E$", "1.2", true],
    ["^\\Q1.2\\E$", "1x2", false],
    ["^\\d{1,3}$", "1234", false],
    ["^(a+)+$", `${"a".repeat(40)}b`, false],
  ])("Go's syntax, %s with %j: %s", (expression, text, expected) => {
    const regexp = compileRegexp(expression);
    if ("error" in regexp) throw new Error(regexp.error);
    expect(regexp.matches(text)).toBe(expected);
  });

  it.each([
    ["(?=a)", "lookahead"],
    ["(?!a)", "negative lookahead"],
    ["(?<=a)b", "lookbehind"],
    ["(a)\\1", "a reference to a group"],
    ["a++", "possessive"],
    ["a**", "repeated twice"],
    ["(?>a)", "atomic"],
    ["a{1001}", "too often"],
    ["\\Z", "an escape of another dialect"],
    ["[[:nothing:]]", "no such class"],
  ])("%s (%s): refused, and says what is wrong", (expression) => {
    expect(compileRegexp(expression)).toMatchObject({ error: expect.stringMatching(/^error parsing regexp: .+/) });
  });

  it("what Go refuses: refused in its words", () => {
    expect(compileRegexp("[")).toEqual({ error: "error parsing regexp: missing closing ]: `[`" });
    expect(compileRegexp("(?=a)")).toHaveProperty("error");
  });
});
