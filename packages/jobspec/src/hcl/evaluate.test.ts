// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are HCL's templates
import { describe, expect, test } from "vitest";
import type { Scope } from "./evaluate.ts";
import { PURE_FUNCTIONS } from "./functions.ts";
import { evaluating } from "./testkit.ts";
import type { Value } from "./value.ts";

const scope: Scope = {
  variables: new Map<string, Value>([
    ["n", 3],
    ["name", "web"],
    [
      "list",
      [
        { id: "a", tags: ["x", "y"] },
        { id: "b", tags: ["z"] },
      ],
    ],
    ["map", { b: 2, a: 1 }],
    ["none", null],
  ]),
  functions: PURE_FUNCTIONS,
};

const { evaluated, errorOf } = evaluating(scope);

describe("evaluate", () => {
  test.each<[source: string, value: Value]>([
    ['"${name}-${n + 1}-${true}"', "web-4-true"],
    [
      '"${list}"',
      [
        { id: "a", tags: ["x", "y"] },
        { id: "b", tags: ["z"] },
      ],
    ],
    ["-n + 5 % 3", -1],
    ['"4" * 2', 8],
    ['1 == "1"', false],
    ['{a = [1]} == {"a" = [1]}', true],
    ["false && none.x", false],
    ["n > 2 ? name : none.x", "web"],
    ["list[0].id", "a"],
    ['map["b"]', 2],
    ["list.1.tags.0", "z"],
    ["list[*].id", ["a", "b"]],
    ["list[*].tags[0]", ["x", "z"]],
    ["list.*.tags[0]", ["x", "y"]],
    ["name[*]", ["web"]],
    ["none[*].id", []],
    ["[for x in list : upper(x.id)]", ["A", "B"]],
    ['[for k, v in map : "${k}${v}"]', ["a1", "b2"]],
    ["[for i, x in list : i if x.id != name]", [0, 1]],
    ["{for x in list : x.id => length(x.tags)}", { a: 2, b: 1 }],
    ["{for x in [1, 2, 3] : x % 2 == 0 => x...}", { false: [1, 3], true: [2] }],
    ["{(name) = 1, name = 2}", { web: 1, name: 2 }],
    ['"%{ for k, v in map ~} ${k}=${v}; %{ endfor }"', "a=1; b=2; "],
    ["max([1, 5, 2]...)", 5],
  ])("%s", (source, value) => {
    expect(evaluated(source)).toEqual(value);
  });

  test.each<[source: string, value: Value]>([
    ['upper("é") == "É" && lower("AB") == "ab"', true],
    ['title("hello wORLD")', "Hello WORLD"],
    [
      'format("%-4s|%04d|%.2f|%q|%t|%v|%x|%%", "a", -7, 1.005, "q", true, [1], 255)',
      'a   |-007|1.00|"q"|true|[1]|ff|%',
    ],
    ['join("-", split(",", "a,b,c"))', "a-b-c"],
    ['concat([1], [], ["a"])', [1, "a"]],
    ["merge({a = 1}, {a = 2, b = 3})", { a: 2, b: 3 }],
    ["keys(map)", ["a", "b"]],
    ["values(map)", [1, 2]],
    ['lookup(map, "a", 9) + lookup(map, "z", 9)', 10],
    ["contains([1, [2]], [2])", true],
    ['jsonencode({b = [1, null], a = "x"})', '{"a":"x","b":[1,null]}'],
    ['jsondecode("{\\"a\\": [1.5]}")', { a: [1.5] }],
    ["[min(3, 1), max(3, 1), abs(-2), ceil(1.2), floor(-1.2)]", [1, 3, 2, 2, -2]],
    ['[tostring(1), tonumber("2.5")]', ["1", 2.5]],
    ['toset(["b", "a", "b"])', ["a", "b"]],
    ["coalesce(null, 2)", 2],
    ['replace("a.b.c", ".", "-")', "a-b-c"],
    ['trimspace("  a ")', "a"],
    [
      "[range(3), range(1, 4), range(4, 0, -2)]",
      [
        [0, 1, 2],
        [1, 2, 3],
        [4, 2],
      ],
    ],
    ["flatten([1, [2, [3]]])", [1, 2, 3]],
    ['distinct([1, 1, [2], [2], "1"])', [1, [2], "1"]],
    ["element([1, 2, 3], 4)", 2],
    ["slice([1, 2, 3], 1, 3)", [2, 3]],
    ['reverse(sort(["b", "a"]))', ["b", "a"]],
    ['[substr("héllo", 1, 3), substr("hello", -2, -1)]', ["éll", "lo"]],
    ['base64decode(base64encode("héllo 😀"))', "héllo 😀"],
  ])("function: %s", (source, value) => {
    expect(evaluated(source)).toEqual(value);
  });

  test.each([
    ["1 +\n nope", 'e.hcl:2:2: unknown variable "nope"'],
    ["nope(1)", 'e.hcl:1:1: unknown function "nope"'],
    ["1 + [2]", "e.hcl:1:5: expected a number, got a list"],
    ['"a ${list} b"', "e.hcl:1:6: expected a string, got a list"],
    ["1 / 0", "e.hcl:1:5: division by zero"],
    ["n ? 1 : 2", "e.hcl:1:1: expected a bool, got a number"],
    ["list[2]", "e.hcl:1:5: index 2 is outside the list of 2"],
    ["map.c", 'e.hcl:1:4: the object has no attribute "c"'],
    ["name.x", 'e.hcl:1:5: a string has no attribute "x"'],
    ["[1, upper([])]", "e.hcl:1:5: upper: expected a string, got a list"],
    ["upper()", "e.hcl:1:1: upper: takes 1 argument, got 0"],
    ["upper(nope)", 'e.hcl:1:7: unknown variable "nope"'],
    ["{for x in [1, 1] : x => x}", 'e.hcl:1:20: key "1" comes twice; write "..." after the value to group'],
    ["range(0, 1e9)", "e.hcl:1:1: range: more than 100000 items"],
    ['jsondecode("{")', "e.hcl:1:1: jsondecode: malformed JSON"],
    ['map["__proto__"]', 'e.hcl:1:4: the object has no attribute "__proto__"'],
  ])("error of %s names place and reason", (source, message) => {
    expect(errorOf(source)).toContain(message);
  });
});
