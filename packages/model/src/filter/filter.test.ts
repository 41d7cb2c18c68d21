import { Allocation, Deployment, type Job, type Node } from "@steppe/proto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mockJob, mockNode } from "../fixtures.ts";
import { fromJson } from "../json.ts";
import { jsonOf } from "../json-arbitrary.ts";
import { compileFilter } from "./compile.ts";

const JOB: Job = {
  ...mockJob(),
  ID: "example",
  Meta: { owner: "armon", "a b": "spaced", "x/y": "slashed" },
  Datacenters: ["dc1", "eu-1"],
  Priority: 50,
  Payload: new Uint8Array([104, 105]),
};

function passes(expression: string, job: Job = JOB): boolean {
  return compileFilter<Job>(expression, { message: "Job" })(job);
}

function failure(expression: string): string {
  try {
    compileFilter<Job>(expression, { message: "Job" });
  } catch (error) {
    expect(error).toMatchObject({ code: "invalid" });
    return (error as Error).message;
  }
  throw new Error(`${expression} was accepted`);
}

describe("filter", () => {
  test.each<[expression: string, expected: boolean]>([
    ['ID == "example"', true],
    ["ID == example", true],
    ["ID == `example`", true],
    ['ID=="example"', true],
    ['ID != "example"', false],
    ["Priority == 50", true],
    ['Priority == "0x32"', true],
    ['Priority != "50"', false],
    ["AllAtOnce == false", true],
    ['AllAtOnce == "f"', true],
    ['ID contains "xam"', true],
    ['ID not contains "xam"', false],
    ['"xam" in ID', true],
    ['"xam" not in ID', false],
    ['Datacenters contains "dc1"', true],
    ['"dc2" in Datacenters', false],
    ['"dc2" not in Datacenters', true],
    ["dc1 in Datacenters", true],
    ['"owner" in Meta', true],
    ['Meta contains "nobody"', false],
    ["Meta.owner == armon", true],
    ["Meta.nobody == armon", false],
    ["Meta.nobody != armon", true],
    ["Meta.nobody is empty", true],
    ["Meta.nobody is not empty", false],
    ["Meta.nobody matches `.*`", false],
    ["Meta.nobody not matches `.*`", true],
    ['Meta["a b"] == "spaced"', true],
    ['"/Meta/a-b" is empty', true],
    ['"/Meta/x~1y" == slashed', true],
    ['"/Meta/owner" == armon', true],
    ['ID matches "^ex.*e$"', true],
    ['ID not matches "^a"', true],
    ["Payload matches `^hi$`", true],
    ["Payload is not empty", true],
    ["Constraints is empty", false],
    ["Affinities is empty", true],
    ["ParentID is empty", true],
    ["TaskGroups.0.Name == web", true],
    ["TaskGroups.7.Name == web", false],
    ["TaskGroups.0.Tasks.0.Config.command matches `date`", true],
    ["TaskGroups.0.Tasks.0.Config.nothing == 1", false],
    ["Periodic is empty", true],
    ["Periodic.Enabled == true", false],
    ["Periodic.Enabled != true", true],
    ["not ID == example", false],
    ["not not ID == example", true],
    ["ID == example and Priority == 51", false],
    ["ID == example or Priority == 51", true],
    ["ID == a or ID == b and Priority == 50", false],
    ["(ID == a or ID == example) and Priority == 50", true],
    ["not (ID == example and Priority == 51)", true],
    ["  ( ID == example )  ", true],
    ["ID ==\n\texample", true],
    ["any Datacenters as dc { dc == `eu-1` }", true],
    ["all Datacenters as dc { dc == `eu-1` }", false],
    ["all Datacenters as dc { dc matches `1$` }", true],
    ["any Datacenters as (i, dc) { i == 1 and dc matches `^eu` }", true],
    ["any Meta as k { k == owner }", true],
    ["any Meta as _, v { v == armon }", true],
    ["any Affinities as a { a.Weight == 1 }", false],
    ["all Affinities as a { a.Weight == 1 }", true],
    ["any TaskGroups as g { any g.Tasks as t { t.Name == g.Name and t.Driver == exec } }", false],
    ["any TaskGroups as g { any g.Tasks as t { t.Name == web and t.Driver == exec } }", true],
  ])("expression %s: gives %s", (expression, expected) => {
    expect(passes(expression)).toBe(expected);
  });

  const READ = "failed to create result paginator: failed to read filter expression: ";
  const APPLY = "failed to read result page: ";

  test.each<[expression: string, message: string]>([
    ["NotValid", `${READ}1:9 (8): no match found, expected: "==", "!=", "contains", "in", "is", "matches", "not"`],
    ["", `${READ}1:1 (0): no match found, expected: "\\"", "(", "-", "\`", [a-zA-Z], [0-9]`],
    ["ID ==", `${READ}1:6 (5): no match found, expected: "\\"", "(", "-", "\`", [a-zA-Z], [0-9]`],
    ["ID == a b", `${READ}1:9 (8): no match found, expected: "and", "or", [ \\t\\r\\n], [end of expression]`],
    ["ID == a\nand Ünd", `${READ}2:5 (12): no match found, expected: "\\"", "(", "-", "\`", [a-zA-Z], [0-9]`],
    ["(ID == a", `${READ}1:1 (0): rule "grouping": Unmatched parentheses`],
    ['ID == "a', `${READ}1:7 (6): rule "string": Unterminated string literal`],
    ['ID == "\\q"', `${READ}1:7 (6): rule "string": invalid syntax`],
    ["Priority == 5x", `${READ}1:13 (12): rule "number": Invalid number literal`],
    ["Meta[owner] == a", `${READ}1:5 (4): rule "index": Invalid index`],
    ['Meta["owner" == a', `${READ}1:5 (4): rule "index": Unclosed index expression`],
    ['"a" == "b"', `${READ}1:1 (0): rule "match": Invalid selector`],
    ['"a" in "b"', `${READ}1:1 (0): rule "match": Invalid selector`],
    [
      "any Meta as (k, k) { k == a }",
      `${READ}1:19 (18): "k" cannot be used as a placeholder for both the index and the value`,
    ],
    [
      'InvalidField == "value"',
      `${APPLY}error finding value in datum: /InvalidField at part 0: couldn't find key: struct field with name "InvalidField"`,
    ],
    [
      "Periodic.Nope == 1",
      `${APPLY}error finding value in datum: /Periodic/Nope at part 1: couldn't find key: struct field with name "Nope"`,
    ],
    ["ID.x == 1", `${APPLY}error finding value in datum: /ID/x: at part 1, invalid value kind: string`],
    [
      "Priority == high",
      `${APPLY}error getting match value in expression: strconv.ParseInt: parsing "high": invalid syntax`,
    ],
    [
      "Version == 18446744073709551616",
      `${APPLY}error getting match value in expression: strconv.ParseUint: parsing "18446744073709551616": value out of range`,
    ],
    [
      "AllAtOnce == yes",
      `${APPLY}error getting match value in expression: strconv.ParseBool: parsing "yes": invalid syntax`,
    ],
    ["Meta == a", `${APPLY}unable to find suitable primitive comparison function for matching`],
    ["5 in Priority", `${APPLY}Cannot perform in/contains operations on type int for selector: "Priority"`],
    ["Priority is empty", `${APPLY}Cannot perform is empty operations on type int for selector: "Priority"`],
    ["Priority matches `5`", `${APPLY}Value of type int is not convertible to []byte`],
    ["any ID as c { c == a }", `${APPLY}ID is not a list or a map`],
  ])("expression %s: is refused with its place or reason", (expression, message) => {
    expect(failure(expression)).toBe(message);
  });

  test("expression, bad regular expression: is refused with the expression", () => {
    expect(failure("ID matches `(`")).toContain('Failed to compile regular expression "("');
  });

  test.each(["Region == a and VaultToken == b", "ConsulToken is empty"])(
    "expression %s on a job's credentials: is refused as an unknown field",
    (expression) => {
      expect(failure(expression)).toContain("couldn't find key");
    },
  );

  test("expression on a node's secret, also by way of what holds one: is refused", () => {
    expect(() => compileFilter<Node>("SecretID matches `^a`", { message: "Node" })).toThrow(/couldn't find key/);
    expect(() => compileFilter("Job.VaultToken == a", { message: "Allocation" })).toThrow(/couldn't find key/);
  });

  test("expression, thousands of parentheses or negations: is refused or read, and never exhausts the stack", () => {
    expect(failure("(".repeat(10_000))).toContain("nested deeper than 100 levels");
    expect(passes(`${"not ".repeat(10_001)}ID == example`)).toBe(false);
    expect(passes(`${"ID == x or ".repeat(20_000)}ID == example`)).toBe(true);
  });

  test("field given by the subject: is read through it", () => {
    const fields = { NodeName: () => "worker-1" };
    const test = compileFilter<Allocation>("NodeName == `worker-1`", { message: "Allocation", fields });
    expect(test(Allocation.create())).toBe(true);
  });

  test("lists within maps and points in time: compare as the API shows them", () => {
    const deployment: Deployment = { ...Deployment.create(), TaskGroups: {} };
    expect(compileFilter<Deployment>("TaskGroups is empty", { message: "Deployment" })(deployment)).toBe(true);
    const node: Node = { ...mockNode(), Attributes: { "kernel.name": "linux" } };
    expect(compileFilter<Node>('Attributes["kernel.name"] == linux', { message: "Node" })(node)).toBe(true);
  });
});

/** A leaf of a JSON object with the path to it. */
type Leaf = { path: readonly string[]; value: string | number | boolean };

function leavesOf(value: unknown, path: readonly string[] = []): Leaf[] {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return [{ path, value }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => leavesOf(item, [...path, key]));
}

/** JSON pointers hold only letters, digits and a few marks; other keys need the bracket form, which holds no quotes. */
function selectorFor(path: readonly string[]): string {
  return (
    (path[0] as string) +
    path
      .slice(1)
      .map((part) => `[\`${part}\`]`)
      .join("")
  );
}

describe("filter, any job, against a reading of its JSON", () => {
  const job = jsonOf("Job", 2).map((json) => ({ json, job: fromJson<Job>("Job", json) }));
  const isPlain = ({ path, value }: Leaf) =>
    !/[`\r]/.test(path.join("")) &&
    !path.some((part) => part === "ConsulToken" || part === "VaultToken" || part === "Payload") &&
    (typeof value !== "string" || !/[`\r]/.test(value)) &&
    (typeof value !== "number" || Number.isSafeInteger(value));

  test("equality of each leaf with itself and with another: holds and does not", () => {
    fc.assert(
      fc.property(job, ({ job }) => {
        for (const { path, value } of leavesOf(job).filter(isPlain)) {
          const selector = selectorFor(path);
          const other = typeof value === "string" ? `${value}x` : typeof value === "number" ? value + 1 : !value;
          expect(passes(`${selector} == \`${value}\``, job)).toBe(true);
          expect(passes(`${selector} != \`${value}\``, job)).toBe(false);
          if (typeof other !== "number" || other >= 0) expect(passes(`${selector} == \`${other}\``, job)).toBe(false);
        }
      }),
    );
  });

  type Tree = { kind: "leaf"; holds: boolean } | { kind: "not"; of: Tree } | { kind: "and" | "or"; of: [Tree, Tree] };
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.record({ kind: fc.constant("leaf" as const), holds: fc.boolean() }),
      fc.record({ kind: fc.constant("not" as const), of: tie("tree") }),
      fc.record({ kind: fc.constantFrom("and" as const, "or" as const), of: fc.tuple(tie("tree"), tie("tree")) }),
    ),
  }));

  const textOf = (it: Tree): string =>
    it.kind === "leaf"
      ? `ID ${it.holds ? "==" : "!="} example`
      : it.kind === "not"
        ? `not (${textOf(it.of)})`
        : `(${textOf(it.of[0])}) ${it.kind} (${textOf(it.of[1])})`;

  const truthOf = (it: Tree): boolean =>
    it.kind === "leaf"
      ? it.holds
      : it.kind === "not"
        ? !truthOf(it.of)
        : it.kind === "and"
          ? truthOf(it.of[0]) && truthOf(it.of[1])
          : truthOf(it.of[0]) || truthOf(it.of[1]);

  test("boolean operators: combine as they say", () => {
    fc.assert(fc.property(tree, (it) => passes(textOf(it)) === truthOf(it)));
  });

  test("any text: is read or refused as invalid, and nothing else", () => {
    const words = [
      "ID",
      "Meta",
      " ",
      "and",
      "or",
      "not",
      "in",
      "is",
      "empty",
      "(",
      ")",
      "==",
      '"',
      "`",
      "[",
      "]",
      ".",
      "0",
    ];
    const text = fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 4 }))).map((it) => it.join(""));
    fc.assert(
      fc.property(text, (expression) => {
        try {
          passes(expression);
        } catch (error) {
          expect(error).toMatchObject({ name: "SteppeError", code: "invalid" });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
