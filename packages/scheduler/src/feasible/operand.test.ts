import { describe, expect, it } from "vitest";
import { operandOf } from "./operand.ts";

const none = undefined;

/** Left, operand, right, and whether it holds; `none` is an attribute that the node does not have. */
const TABLE: readonly (readonly [string | undefined, string, string | undefined, boolean])[] = [
  ...["", "=", "==", "is"].flatMap(
    (word) =>
      [
        ["a", word, "a", true],
        ["a", word, "b", false],
        [none, word, "a", false],
        ["a", word, none, false],
        [none, word, none, false],
      ] as const,
  ),
  ...["!=", "not"].flatMap(
    (word) =>
      [
        ["a", word, "b", true],
        ["a", word, "a", false],
        [none, word, "a", true],
        ["a", word, none, true],
        [none, word, none, false],
      ] as const,
  ),
  ["9", "<", "10", true],
  ["10", "<", "9", false],
  ["9", "<=", "9", true],
  ["10", ">", "9", true],
  ["9", ">", "9", false],
  ["9", ">=", "9", true],
  ["-1", "<", "+1", true],
  ["9007199254740993", ">", "9007199254740992", true],
  ["1.5", "<", "1.25e1", true],
  ["10", ">", "9.5", true],
  ["abc", "<", "abd", true],
  ["10", "<", "9a", true],
  ...["<", "<=", ">", ">="].flatMap(
    (word) =>
      [
        [none, word, "1", false],
        ["1", word, none, false],
        [none, word, none, false],
      ] as const,
  ),
  ["1.2.3", "version", ">= 1.2, < 2", true],
  ["2.0", "version", ">= 1.2, < 2", false],
  ["1.3.0-beta1", "version", ">= 1.2", false],
  ["x", "version", ">= 1", false],
  ["1.2", "version", "nonsense", false],
  [none, "version", ">= 1", false],
  ["1.2.3", "semver", ">= 1.2.0", true],
  ["1.3.0-beta1", "semver", ">= 1.2.0", true],
  [none, "semver", ">= 1.0.0", false],
  ["linux-6.1", "regexp", "^linux-\\d", true],
  ["windows", "regexp", "^linux", false],
  ["a", "regexp", "(", false],
  [none, "regexp", ".*", false],
  ...["set_contains", "set_contains_all"].flatMap(
    (word) =>
      [
        ["a, b,c", word, "c,a", true],
        ["a,b", word, "a,d", false],
        [none, word, "a", false],
        ["a", word, none, false],
      ] as const,
  ),
  ["a,b", "set_contains_any", "d, b", true],
  ["a,b", "set_contains_any", "c,d", false],
  [none, "set_contains_any", "a", false],
  ["a", "is_set", "", true],
  [none, "is_set", "", false],
  ["a", "is_not_set", "", false],
  [none, "is_not_set", "", true],
];

describe("operands of constraints", () => {
  it.each(TABLE)("%s %s %s: %s", (left, word, right, expected) => {
    expect(operandOf(word)?.(left, right)).toBe(expected);
  });

  it("a word that is none: unknown", () => {
    expect(operandOf("resembles")).toBeUndefined();
    expect(operandOf("constructor")).toBeUndefined();
  });
});
