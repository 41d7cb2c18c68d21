// biome-ignore-all lint/suspicious/noTemplateCurlyInString: job files have them
import { idleJob, registered } from "../jobs.ts";
import type { Row, Table } from "../row.ts";
import { a, JSON_BODY, READ_HEADERS, TEXT_BODY } from "../values.ts";

const three: readonly ReturnType<typeof registered>[] = ["a", "b", "c"].map((name, i) =>
  registered({ ...idleJob(), ID: `$id-${name}`, Meta: { n: String(i), "x y": "z" }, Priority: 50 + i }),
);

const filters: readonly [expression: string, found: readonly string[]][] = [
  ['Meta.n == "1"', ["b"]],
  ['Meta["x y"] == z and Priority != 50', ["b", "c"]],
  ['Meta.none == "1" or "n" not in Meta', []],
  ['not (Priority == 50) and ID matches "-c$"', ["c"]],
  ['"/Meta/n" == "0"', ["a"]],
  ["Datacenters contains `*` and Priority == 52", ["c"]],
  ["Affinities is empty and Meta is not empty and Priority == 51", ["b"]],
];

const refused: readonly [expression: string, text: RegExp][] = [
  ["NotValid", /failed to read filter expression/],
  ['Nope == "1"', /error finding value in datum: \/Nope at part 0: couldn't find key: struct field with name "Nope"/],
  ["Priority == high", /error getting match value in expression: strconv.ParseInt: parsing "high": invalid syntax/],
];

const HCL = `
variable "count" { default = 0 }
job "$id" {
  type = "service"
  meta { region_is = "\${node.datacenter}" }
  group "g" {
    count = var.count
    update { min_healthy_time = "15s" }
    task "t" {
      driver = "raw_exec"
      config { command = "/bin/true" }
    }
  }
}`;

const JSON_FILE = JSON.stringify({
  job: {
    $id: {
      meta: {
        net: '${cidrsubnet("10.0.0.0/16", 8, 1)}',
        day: '${formatdate("EEE", "2018-01-02T23:12:01Z")}',
        id: '${uuidv5("dns", "nomadproject.io")}',
        y: '${yamldecode("a: b").a}',
      },
      group: { g: { count: 2, task: { t: { driver: "raw_exec", config: { command: "/bin/true" } } } } },
    },
  },
});

const table: Table = {
  subject: "/v1/jobs: filters, pages and files",
  rows: [
    ...filters.map(
      ([expression, found]): Row => ({
        name: `GET ?filter=${expression}`,
        given: three,
        request: `GET /v1/jobs?prefix=$id&filter=${encodeURIComponent(expression)}`,
        expect: { body: found.map((name) => ({ ID: `$id-${name}` })), headers: { ...JSON_BODY, ...READ_HEADERS } },
      }),
    ),
    ...refused.map(
      ([expression, text]): Row => ({
        name: `GET ?filter=${expression}: 400`,
        given: three,
        request: `GET /v1/jobs?prefix=$id&filter=${encodeURIComponent(expression)}`,
        expect: { status: 400, text, headers: TEXT_BODY },
      }),
    ),
    {
      name: "GET ?per_page, the token of the next one",
      given: three,
      request: "GET /v1/jobs?prefix=$id&per_page=2",
      expect: {
        body: [{ ID: "$id-a" }, { ID: "$id-b" }],
        headers: { "x-nomad-nexttoken": /^default\..+-c$/ },
      },
    },
    {
      name: "GET ?next_token, from there on",
      given: three,
      request: "GET /v1/jobs?prefix=$id&per_page=2&next_token=default.$id-c",
      expect: { body: [{ ID: "$id-c" }], headers: { "x-nomad-nexttoken": null } },
    },
    {
      name: "GET ?per_page that is no number: 400",
      request: "GET /v1/jobs?per_page=x",
      expect: { status: 400, text: "Expect a number for `per_page` query string parameter" },
    },
    {
      name: "GET ?meta, with the jobs' own",
      given: three,
      request: "GET /v1/jobs?prefix=$id-a&meta=true",
      expect: { body: [{ Meta: { n: "0", "x y": "z" } }] },
    },
    {
      name: "GET statuses, a job as a dashboard shows it",
      given: [registered()],
      request: { line: "POST /v1/jobs/statuses", body: { Jobs: [{ ID: "$id", Namespace: "default" }] } },
      expect: {
        body: [{ ID: "$id", Namespace: "default", Type: "service", GroupCountSum: 0, ChildStatuses: null }],
        fields: ["Allocs", "LatestDeployment", "Status", "Version", "SubmitTime", "Priority"],
        headers: READ_HEADERS,
      },
    },
    {
      name: "POST parse, variables and durations, references of nodes kept",
      request: { line: "POST /v1/jobs/parse", body: { JobHCL: HCL, Variables: "count = 3" } },
      expect: {
        body: {
          ID: "$id",
          Type: "service",
          Priority: null,
          Meta: { region_is: "${node.datacenter}" },
          TaskGroups: [
            { Name: "g", Count: 3, Update: { MinHealthyTime: 15e9 }, Tasks: [{ Config: { command: a.text } }] },
          ],
        },
      },
    },
    {
      name: "POST parse ?Canonicalize, with defaults",
      request: { line: "POST /v1/jobs/parse", body: { JobHCL: HCL, Canonicalize: true } },
      expect: { body: { Priority: 50, TaskGroups: [{ RestartPolicy: { Attempts: 2, Mode: "fail" } }] } },
    },
    {
      name: "POST parse of a file in JSON, with functions",
      request: { line: "POST /v1/jobs/parse", body: { JobHCL: JSON_FILE } },
      expect: {
        body: {
          ID: "$id",
          Meta: { net: "10.0.1.0/24", day: "Tue", id: "d2616d48-e1cb-5b87-8a8c-46355decc76a", y: "b" },
          TaskGroups: [{ Name: "g", Count: 2, Tasks: [{ Name: "t", Driver: "raw_exec" }] }],
        },
      },
    },
    {
      name: "POST parse of nothing: 400",
      request: { line: "POST /v1/jobs/parse", body: {} },
      expect: { status: 400, text: "Job spec is empty" },
    },
    {
      name: "POST parse of what is no job: 400 with line and column",
      request: { line: "POST /v1/jobs/parse", body: { JobHCL: 'job "x" {\n  nope = 1\n}' } },
      expect: { status: 400, text: /^Failed to parse job: input.hcl:2[:,]3/ },
    },
    {
      name: "PUT validate, a good job",
      request: { line: "PUT /v1/validate/job", body: { Job: idleJob() } },
      expect: { body: { DriverConfigValidated: true, ValidationErrors: null, Error: "", Warnings: a.text } },
    },
    {
      name: "PUT validate, a bad one: 200 with what is wrong",
      request: { line: "PUT /v1/validate/job", body: { Job: { ...idleJob(), TaskGroups: [] } } },
      expect: { body: { ValidationErrors: ["Missing job task groups"], Error: a.text } },
    },
  ],
};

export default table;
