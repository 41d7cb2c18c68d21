// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are HCL's templates
import { SteppeError } from "@steppe/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EMPTY_SCOPE, evaluate } from "./evaluate.ts";
import { parseHcl } from "./parse.ts";
import type { Value } from "./value.ts";

function evaluated(source: string): Value {
  const attribute = parseHcl(`x = ${source}\n`, "t.hcl").attributes.get("x");
  if (attribute === undefined) throw new Error("no x");
  return evaluate(attribute.value, EMPTY_SCOPE);
}

function errorOf(source: string, filename = "job.hcl"): string {
  try {
    parseHcl(source, filename);
  } catch (error) {
    if (error instanceof SteppeError && error.code === "invalid") return error.message;
    throw error;
  }
  return "no error";
}

describe("parse", () => {
  test("body: attributes, labelled and nested blocks, every comment style, keep names, labels and order", () => {
    const body = parseHcl(
      `# one
      // two
      job "web" {
        /* three
        */ type = "service" # behind
        group "a" { count = 2 }
        group b "second" {}
      }
      `,
      "job.hcl",
    );

    const job = body.blocks[0];
    expect(job?.labels).toEqual(["web"]);
    expect([...(job?.body.attributes.keys() ?? [])]).toEqual(["type"]);
    expect(job?.body.blocks.map((block) => [block.type, ...block.labels])).toEqual([
      ["group", "a"],
      ["group", "b", "second"],
    ]);
  });

  test.each<[source: string, value: Value]>([
    ["1.5e2", 150],
    ["-3", -3],
    ["null", null],
    [String.raw`"a\n\"b\" \u00e9 \U0001F600"`, 'a\n"b" é 😀'],
    ['"$${x} %%{y} $5 100%"', "${x} %{y} $5 100%"],
    ["[1, 2, 3,]", [1, 2, 3]],
    ["[\n1,\n2\n]", [1, 2]],
    ['{ a = 1, "b-c" : 2\n d = 3 }', { a: 1, "b-c": 2, d: 3 }],
    ["{}", {}],
    ["1 + 2 * 3 - 4 / 2", 5],
    ["(1 + 2) * 3", 9],
    ["10 - 3 - 2", 5],
    ["true || false && false", true],
    ["1 < 2 == true", true],
    ["!true ? 1 : false ? 2 : 3", 3],
    ["(\n1\n+ 2\n)", 3],
    ["<<EOF\n  a\n b\nEOF", "  a\n b\n"],
    ["<<-EOF\n    a\n      b\n\n    c\n    EOF", "a\n  b\n\nc\n"],
    ["<<EOF\nEOF", ""],
    [`<<-EOF\n    a\${1 + 1}b\n      \${"x"}\n    EOF`, "a2b\n  x\n"],
    ['"%{ if 1 > 2 }yes%{ else }no%{ endif }"', "no"],
    ['"a ${~ 1 ~} b"', "a1b"],
  ])("value %s", (source, value) => {
    expect(evaluated(source)).toEqual(value);
  });

  test.each<[source: string, message: string]>([
    ["a = 1\nb =\nc = 2", 'job.hcl:3:3: expected a new line after "b", found "="'],
    ["a = ", "job.hcl:1:5: expected a value, found the end of the file"],
    ["a = 1 b = 2", 'job.hcl:1:7: expected a new line after "a", found "b"'],
    ["a = 1\na = 2", 'job.hcl:2:1: "a" is set twice'],
    ['a = "x', "job.hcl:1:5: string is not closed on its line"],
    ['a = "x\ny"', "job.hcl:1:5: string is not closed on its line"],
    ["a = 'x'", 'job.hcl:1:5: unexpected character "\'"; strings are written with double quotes'],
    ['a = "\\z"', "job.hcl:1:6: unknown escape"],
    ["job {\n  a = 1\n", 'job.hcl:1:5: block "job" is not closed; "}" is missing'],
    ["}", 'job.hcl:1:1: expected an option or a block, found "}"'],
    ["a = [1 2]", 'job.hcl:1:8: expected "]" or a comma in the list, found "2"'],
    ["a = {b 1}", 'job.hcl:1:8: expected "=" or ":" after the key, found "1"'],
    ['a = "${1"', 'job.hcl:1:9: expected "}" to close "${", found a string'],
    ['a = "%{ if true }x"', 'job.hcl:1:5: template directive is not closed; "%{ endif }" is missing'],
    ['a = "%{ endfor }"', 'job.hcl:1:6: "%{ endfor }" without its beginning'],
    ["a = <<EOF\nx\n", "job.hcl:1:5: heredoc is not closed; a line with only EOF is missing"],
    ["/* a", 'job.hcl:1:1: comment is not closed; "*/" is missing'],
    ["a = 1e999", "job.hcl:1:5: number is too large"],
    ["job web", 'job.hcl:1:8: expected "=" or "{" after "job", found the end of the file'],
  ])("error in %j names place and reason", (source, message) => {
    expect(errorOf(source).startsWith(message), errorOf(source)).toBe(true);
  });

  test("error: shows the line with a mark under the column", () => {
    expect(errorOf("ok = 1\n\tcount = = 3\n")).toBe(
      'job.hcl:2:10: expected a value, found "="\n    \tcount = = 3\n    \t        ^',
    );
  });

  test.each([
    ["lists", `a = ${"[".repeat(100_000)}`, "job.hcl"],
    ["negations", `a = ${"!".repeat(100_000)}1`, "job.hcl"],
    ["blocks", "a {\n".repeat(100_000), "job.hcl"],
    ["templates", `a = ${'"${'.repeat(100_000)}`, "job.hcl"],
    ["JSON", "[".repeat(100_000), "job.json"],
  ])("a hundred thousand nested %s: refused, not a stack overflow", (_, source, filename) => {
    expect(errorOf(source, filename)).toContain("nested more than 200 levels deep");
  });

  test("a sum of twenty thousand terms: evaluates without running out of stack", () => {
    expect(evaluated(Array(20_000).fill("1").join(" + "))).toBe(20_000);
  });

  test("hcl1 dialect: strings are plain, names quoted or dotted, commas allowed, an object is a block", () => {
    const body = parseHcl(
      `"name" = "\${a} {{ b }}", options = { driver.raw_exec.enable = 1, nested { a = 1 } }
       meta { "x.y" = "1", z = 0x10 }`,
      "agent.hcl",
      { dialect: "hcl1" },
    );

    expect(body.attributes.get("name")?.value).toMatchObject({ kind: "literal", value: "${a} {{ b }}" });
    expect(body.blocks.map((block) => [block.type, [...block.body.attributes.keys()]])).toEqual([
      ["options", ["driver.raw_exec.enable"]],
      ["meta", ["x.y", "z"]],
    ]);
  });

  test.each([
    ['{"a": 1,}', 'a.json:1:9: expected an item after ",", found "}"'],
    ['{"a" 1}', 'a.json:1:6: expected ":" after the name, found "1"'],
    ['{"a": 1}\n{', 'a.json:2:1: expected the end of the file, found "{"'],
    ['{\n "a": nul}', "a.json:2:7: malformed JSON"],
    ['{"a": 1, "a": 2}', 'a.json:1:10: "a" is set twice'],
    ["[1]", "a.json:1:1: expected an object"],
  ])("JSON error in %j", (source, message) => {
    expect(errorOf(source, "a.json")).toContain(message);
  });

  const scalar = fc.oneof(
    fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  );
  const { tree } = fc.letrec<{ tree: Value }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      scalar,
      fc.array(tie("tree"), { maxLength: 4 }),
      fc
        .dictionary(fc.string(), tie("tree"), { maxKeys: 4 })
        .map((object) => Object.fromEntries(Object.entries(object))),
    ),
  }));

  test("property: a value printed as an HCL literal parses to itself", () => {
    fc.assert(
      fc.property(tree, (value) => {
        expect(evaluated(print(value))).toEqual(value);
      }),
    );
  });

  test("property: JSON parses to what JSON.parse gives", () => {
    fc.assert(
      fc.property(tree, (value) => {
        const json = JSON.stringify({ x: value });
        const attribute = parseHcl(json, "t.json").attributes.get("x");
        expect(attribute && evaluate(attribute.value, EMPTY_SCOPE)).toEqual(JSON.parse(json).x);
      }),
    );
  });

  test("property: any text either parses or is refused with a place", () => {
    const words = [
      "a",
      "=",
      "{",
      "}",
      "[",
      "]",
      '"',
      "${",
      "%{",
      "~",
      "<<A\n",
      "\n",
      "for",
      "in",
      ":",
      "?",
      ".",
      "*",
      "1",
      "if",
      "(",
      ")",
    ];
    const text = fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 3 })), { maxLength: 20 });
    fc.assert(
      fc.property(text, (parts) => {
        expect(errorOf(parts.join(" "))).toMatch(/^(no error|job\.hcl:\d+:\d+: )/);
      }),
    );
  });
});

/** HCL text of a value, in the less usual spellings where there is a choice. */
function print(value: Value): string {
  if (typeof value === "string") return printString(value);
  if (Array.isArray(value)) return `[${value.map(print).join(",\n")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${printString(key)} : ${print(item)}\n`)
    .join("")}}`;
}

function printString(text: string): string {
  const escaped = text.replace(/["\\]/g, "\\$&").replace(/\p{Cc}/gu, (control) => {
    return `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return `"${escaped.replaceAll("${", "$$${").replaceAll("%{", "%%{")}"`;
}
