// biome-ignore-all lint/suspicious/noTemplateCurlyInString: job files have them
// Job files in HCL's JSON syntax: each says the same as the HCL beside it.
import { SteppeError, toJson } from "@steppe/model";
import { createParseJob } from "@steppe/server/internal";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const parse = createParseJob(
  { wallNs: () => 1_700_000_000e9 },
  { id: () => "7d2b5c1e-0000-4000-8000-000000000000", bytes: (length) => new Uint8Array(length) },
);
const jobOf = (text: string, variables = "") => JSON.parse(toJson("Job", parse(text, variables)));
const task = { web: { driver: "mock_driver" } };

describe("a job file in JSON, becomes the job of the same file in HCL", () => {
  test.each<[what: string, json: unknown, hcl: string]>([
    [
      "blocks with labels as keys, options, maps",
      { job: { j: { type: "batch", priority: 70, meta: { a: "b" }, group: { g: { count: 2, task } } } } },
      'job "j" { type = "batch"\n priority = 70\n meta { a = "b" }\n group "g" { count = 2\n task "web" { driver = "mock_driver" } } }',
    ],
    [
      "several blocks of a type, as keys of one object or as a list",
      {
        "//": "a comment",
        job: [
          {
            j: {
              constraint: [{ attribute: "${attr.kernel.name}", value: "linux" }, { operator: "distinct_hosts" }],
              group: { a: { task }, b: { task } },
            },
          },
        ],
      },
      `job "j" {
        constraint { attribute = "\${attr.kernel.name}"\n value = "linux" }
        constraint { operator = "distinct_hosts" }
        group "a" { task "web" { driver = "mock_driver" } }
        group "b" { task "web" { driver = "mock_driver" } }
      }`,
    ],
    [
      "config of a task, whatever the driver takes",
      {
        job: {
          j: { group: { g: { task: { t: { driver: "docker", config: { image: "x", mount: [{ type: "bind" }] } } } } } },
        },
      },
      'job "j" { group "g" { task "t" { driver = "docker"\n config { image = "x"\n mount { type = "bind" } } } } }',
    ],
    [
      "maps as lists of objects, nothing as null",
      { job: { j: { meta: [{ a: "1" }, { b: "2" }], update: null, group: { g: { task } } } } },
      'job "j" { meta { a = "1" }\n meta { b = "2" }\n group "g" { task "web" { driver = "mock_driver" } } }',
    ],
    [
      "variables with types, locals, functions, dynamic blocks",
      {
        variable: { names: { type: "list(string)", default: ["a", "b"] } },
        locals: { shout: '${upper("x")}' },
        job: {
          j: {
            meta: { all: '${join("-", var.names)}', shout: "${local.shout}", price: "$${5}", unit: '100% "x"' },
            dynamic: { group: { for_each: "${var.names}", labels: ["g-${group.value}"], content: { task } } },
          },
        },
      },
      `variable "names" { type = list(string)\n default = ["a", "b"] }
       locals { shout = upper("x") }
       job "j" {
         meta { all = join("-", var.names)\n shout = local.shout\n price = "$\${5}"\n unit = "100% \\"x\\"" }
         dynamic "group" {
           for_each = var.names
           labels = ["g-\${group.value}"]
           content { task "web" { driver = "mock_driver" } }
         }
       }`,
    ],
  ])("%s", (_, json, hcl) => {
    const written = jobOf(JSON.stringify(json));
    expect(written).toEqual(jobOf(hcl));
    expect(jobOf(`\n ${JSON.stringify(json, null, 2)}`)).toEqual(written);
  });
});

test("variables given, in HCL, are those of a file in JSON too", () => {
  const file = JSON.stringify({ variable: { n: {} }, job: { j: { priority: "${var.n}" } } });
  expect(jobOf(file, "n = 77").Priority).toBe(77);
});

test.each([
  ["{", "input.hcl:1:2: expected a name in double quotes, found the end of the file"],
  ["{}", '"job" block not found'],
  ['{"jobs": {}}', 'input.hcl:1:2: an option named "jobs" is not expected here'],
  ['{"job": {"j": {"nope": 1}}}', 'input.hcl:1:16: an option named "nope" is not expected here'],
  ['{"job": {"j": 5}}', '"j" is a block'],
  ['{"job": {"j": {"type": "${nope()}"}}}', 'unknown function "nope"'],
  ['{"job": {"j": {"type": "${upper("}}}', "input.hcl:1:24, in the string:1:9: expected a value"],
  ['{"job": {"j": {"type": "${upper"}}}', "in the string:1:8"],
  ['{"job": {"a": {}, "b": {}}}', 'only one "job" block is allowed'],
])("%s, is refused with its place", (text, message) => expect(() => parse(text, "")).toThrow(message));

test("any JSON where a job may be, and any text in it, gives a job or an error of the caller's", () => {
  const words = [
    "job",
    "group",
    "task",
    "meta",
    "dynamic",
    "content",
    "for_each",
    "labels",
    "//",
    "locals",
    "variable",
  ];
  const name = fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 5 }));
  const text = fc.oneof(
    fc.constantFrom(
      "${var.x}",
      "${",
      "%{ if true }",
      "${upper(",
      "$${x}",
      '${yamldecode("[")}',
      "${[for a in [1] : a]}",
    ),
    fc.string({ unit: "binary", maxLength: 12 }),
  );
  const { node } = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      text,
      fc.integer(),
      fc.constant(null),
      tie("list"),
      tie("object"),
    ),
    list: fc.array(tie("node"), { maxLength: 3 }),
    object: fc.dictionary(name, tie("node"), { maxKeys: 3 }),
  }));
  const file = fc.oneof(
    node.map((inner) => ({ job: inner })),
    node.map((inner) => ({ job: { j: inner } })),
    fc.tuple(node, node).map(([job, variable]) => ({ job: { j: job }, variable, locals: variable })),
  );
  fc.assert(
    fc.property(file, (written) => {
      try {
        parse(JSON.stringify(written), "");
      } catch (error) {
        if (!(error instanceof SteppeError) || error.code !== "invalid") throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
