// biome-ignore-all lint/suspicious/noTemplateCurlyInString: job files have them
// Job files to jobs, by what /v1/jobs/parse runs. `everything.nomad.hcl` has every block and option that
// the peer documents; the JSON beside it is what it must become, written by UPDATE=1 and read by a human.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toJson } from "@steppe/model";
import type { Job } from "@steppe/proto";
import { createParseJob } from "@steppe/server/internal";
import { describe, expect, test } from "vitest";

const file = (name: string) => join(import.meta.dirname, name);
const parse = createParseJob(
  { wallNs: () => 1_700_000_000e9 },
  { id: () => "7d2b5c1e-0000-4000-8000-000000000000", bytes: (length) => new Uint8Array(length) },
);
const jsonOf = (text: string, variables = ""): Record<string, unknown> =>
  JSON.parse(toJson("Job", parse(text, variables)));

/** Without what is not set, so that the recording shows what the file says. */
function given(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(given);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(
    ([, item]) => item !== null && item !== "" && item !== 0 && item !== false,
  );
  return Object.fromEntries(entries.map(([key, item]) => [key, given(item)]));
}

test("a file of every block and option, becomes the recorded job", () => {
  const text = readFileSync(file("everything.nomad.hcl"), "utf8");
  const job = given(jsonOf(text, "replicas = 4"));
  if (process.env.UPDATE) writeFileSync(file("everything.json"), `${JSON.stringify(job, null, 2)}\n`);
  expect(job).toEqual(JSON.parse(readFileSync(file("everything.json"), "utf8")));
});

const inTask = (body: string) =>
  (parse(`job "j" { group "g" { task "t" { driver = "d"\n${body}\n } } }`, "") as Job).TaskGroups[0]?.Tasks[0];

describe("runtime references", () => {
  test.each([
    ["${attr.kernel.name}", "${attr.kernel.name}"],
    ["a${NOMAD_PORT_http}b", "a${NOMAD_PORT_http}b"],
    ['${meta["a b"]}', '${meta["a b"]}'],
    ['${env["HOME"]}', '${env["HOME"]}'],
    ["$${kept}", "${kept}"],
    ['${upper("x")}-${node.class}', "X-${node.class}"],
  ])("%s: becomes %s", (text, expected) => {
    expect(inTask(`env { X = "${text.replaceAll('\\"', '"')}" }`)?.Env).toEqual({ X: expected });
  });
});

describe("dynamic blocks", () => {
  test("over a map, nested, with labels: make a block an entry, in order of keys", () => {
    const text = `
      job "j" {
        dynamic "group" {
          for_each = { b = ["x"], a = ["y", "z"] }
          labels   = ["g-\${group.key}"]
          content {
            dynamic "task" {
              for_each = group.value
              labels   = [task.value]
              content {
                driver = "d-\${group.key}-\${task.key}"
              }
            }
          }
        }
      }`;
    const groups = parse(text, "").TaskGroups.map((it) => [it.Name, it.Tasks.map((t) => [t.Name, t.Driver])]);
    expect(groups).toEqual([
      [
        "g-a",
        [
          ["y", "d-a-0"],
          ["z", "d-a-1"],
        ],
      ],
      ["g-b", [["x", "d-b-0"]]],
    ]);
  });
});

describe("variables", () => {
  const withVariable = (declaration: string, assignments = "") =>
    parse(`variable "v" {\n${declaration}\n}\njob "j" { meta { v = jsonencode(var.v) } }`, assignments).Meta.v;

  test.each([
    ["type = number", 'v = "12"', "12"],
    ["type = list(string)", "v = [1, true]", '["1","true"]'],
    ["type = set(number)", "v = [2, 2, 1]", "[2,1]"],
    ["type = map(bool)", 'v = { a = "true" }', '{"a":true}'],
    [
      "type = object({ a = string, b = optional(number, 5), c = optional(string) })",
      "v = { a = 1 }",
      '{"a":"1","b":5,"c":null}',
    ],
    ["type = tuple([string, number])", 'v = [1, "2"]', '["1",2]'],
    ["type = any", "v = { x = [1] }", '{"x":[1]}'],
    ["default = 7", "", "7"],
    ["default = 7", "v = 8\nother = 9", "8"],
  ])("%s given %s: is %s", (declaration, assignments, expected) => {
    expect(withVariable(declaration, assignments)).toBe(expected);
  });

  test.each([
    ["type = number", "", /^input.hcl:1:1: Unset variable "v"/],
    ["type = number", 'v = "x"', /^variables.hcl:1:5: Invalid value for variable "v": expected a number, got a string/],
    ["type = list(string)", "v = 1", /expected a list, got a number/],
    ["type = object({ a = string })", "v = {}", /attribute "a" is required/],
    ["type = tuple([string])", "v = []", /expected 1 items, got 0/],
    ["type = strng", "v = 1", /^input.hcl:2:8: unknown type "strng"/],
    ["nullable = false", "v = null", /variable "v" must not be null/],
    ["typ = number", "v = 1", /^input.hcl:2:1: "typ" is not known in a variable block/],
    [
      'validation {\n condition = var.v > 3\n error_message = "Too small: ${var.v}."\n}',
      "v = 2",
      /^input.hcl:3:14: Invalid value for variable "v": Too small: 2\./,
    ],
    ["default = 1", "v {}", /^variables.hcl:1:1: a variables file has assignments only/],
  ])("%s given %s: is refused with its place", (declaration, assignments, expected) => {
    expect(() => withVariable(declaration, assignments)).toThrow(expected);
  });
});

describe("what is wrong", () => {
  test.each([
    ["", 'input.hcl: "job" block not found'],
    ['job "a" {}\njob "b" {}', 'input.hcl:2:1: only one "job" block is allowed'],
    ["job {}", 'input.hcl:1:1: block "job" needs a label: job "name" { … }'],
    ['job "a" {\n  typ = "x"\n}', 'input.hcl:2:3: an option named "typ" is not expected here'],
    ['job "a" {\n  grup "x" {}\n}', 'input.hcl:2:3: blocks of type "grup" are not expected here'],
    ['job "a" {\n  group "x" {\n    count = "many"\n  }\n}', "input.hcl:3:13: count: expected a number, got a string"],
    ['job "a" {\n  update {\n    stagger = "30"\n  }\n}', undefined],
    ['job "a" {\n  update {\n    stagger = "soon"\n  }\n}', "input.hcl:3:15: stagger: expected a duration"],
    ['job "a" {\n  update {}\n  update {}\n}', 'input.hcl:3:3: only one "update" block is allowed'],
    ['job "a" {\n  group {}\n}', 'input.hcl:2:3: block "group" needs a label: group "name" { … }'],
    ['job "a" {\n  meta = { a = nope }\n}', 'input.hcl:2:16: unknown variable "nope"'],
    ['job "a" {\n  meta = { a = file("/etc/passwd") }\n}', "input.hcl:2:16: file: reads files"],
    ['locals {\n  a = local.b\n  b = local.a\n}\njob "x" {}', 'input.hcl:2:3: local "a" depends on itself'],
    ['output "x" {}\njob "a" {}', 'input.hcl:1:1: blocks of type "output" are not expected here'],
    [
      'job "a" {\n  meta = { a = length([for a in range(90000) : [for b in range(90000) : 1]]) }\n}',
      "too much to evaluate",
    ],
    ['job "a" {\n  meta = { a = length(concat([for a in range(90000) : range(90000)]...)) }\n}', "too much"],
    ['job "a" {\n  dynamic "group" {\n  }\n}', 'input.hcl:2:3: a dynamic block needs "for_each"'],
  ])("%j: is refused with file, line and column", (text, expected) => {
    if (expected === undefined) expect(() => parse(text, "")).not.toThrow();
    else expect(() => parse(text, "")).toThrow(expected);
  });
});

test("a text that doubles forty times, is refused before it fills the memory", () => {
  const doubled = Array.from({ length: 40 }, (_, i) => `a${i + 1} = "\${local.a${i}}\${local.a${i}}"`).join("\n");
  expect(() => parse(`locals {\n a0 = "xx"\n${doubled}\n}\njob "j" {}`, "")).toThrow("too much to evaluate");
});

describe("functions", () => {
  test.each<[expression: string, expected: unknown]>([
    ['chomp("a\\n\\n")', "a"],
    ['indent(2, "a\\nb")', "a\n  b"],
    ['strrev("abc")', "cba"],
    ['trim("  a-  ", " -")', "a"],
    ['trimprefix("v1", "v")', "1"],
    ['trimsuffix("a.tgz", ".tgz")', "a"],
    ['regex("(\\\\d+)-(\\\\d+)", "a 12-34")', ["12", "34"]],
    ['regex("(?P<year>\\\\d{4})", "in 2024")', { year: "2024" }],
    ['regexall("\\\\d", "a1b2")', ["1", "2"]],
    ['regex_replace("a1b2", "\\\\d", "<$0>")', "a<1>b<2>"],
    ['urlencode("a b/é")', "a+b%2F%C3%A9"],
    ['formatlist("%s-%d", ["a", "b"], 1)', ["a-1", "b-1"]],
    ["chunklist([1, 2, 3], 2)", [[1, 2], [3]]],
    ['compact(["", "a", null])', ["a"]],
    ['index(["a", "b"], "b")', 1],
    ["setunion([1, 2], [2, 3])", [1, 2, 3]],
    ["setintersection([1, 2], [2, 3])", [2]],
    [
      'setproduct(["a"], [1, 2])',
      [
        ["a", 1],
        ["a", 2],
      ],
    ],
    ['zipmap(["a"], [1])', { a: 1 }],
    ['csvdecode("a,b\\n1,\\"x,y\\"\\n")', [{ a: "1", b: "x,y" }]],
    ["pow(2, 10)", 1024],
    ["signum(-3)", -1],
    ['parseint("ff", 16)', 255],
    ['timeadd("2020-01-01T00:00:00Z", "90m")', "2020-01-01T01:30:00Z"],
    ["timestamp()", "2023-11-14T22:13:20Z"],
    ['sha256("")', "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ['try(var.nope, "fallback")', "fallback"],
    ["can(1 / 0)", false],
    ["uuidv4()", "7d2b5c1e-0000-4000-8000-000000000000"],
  ])("%s: gives %j", (expression, expected) => {
    const job = parse(`job "j" { meta { v = jsonencode(${expression}) } }`, "");
    expect(JSON.parse(job.Meta.v ?? "")).toEqual(expected);
  });
});
