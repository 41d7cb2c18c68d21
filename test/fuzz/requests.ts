// Requests as nobody sane would send them, and some as somebody would: made from the table of routes.

import type { Resource } from "@steppe/http/internal";
import { jsonOf } from "@steppe/model/internal";
import fc from "fast-check";

export interface FuzzRequest {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE" | "PATCH" | "OPTIONS";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload?: string;
}

/** These answer for as long as they are asked, or for as many seconds as they are told. */
const ENDLESS = /^\/v1\/(event\/stream|agent\/monitor|agent\/pprof\/)/;

/** Names that the world below has, so that some requests find something. */
export const KNOWN_IDS = ["web", "a/b", "periodic", "default", "00000000-0000-4000-8000-000000000001"];

const ODD_TEXTS = [
  "",
  "*",
  "..",
  "%00",
  "a b",
  "é✓",
  "__proto__",
  "constructor",
  "'\"<>",
  "x".repeat(300),
  "-1",
  "1e99",
];

const id = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...KNOWN_IDS) },
  { weight: 1, arbitrary: fc.constantFrom(...ODD_TEXTS) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20, unit: "grapheme" }) },
);

const NUMBERS = ["0", "1", "7", "-1", "18446744073709551616", "1.5", "x", ""];
const BOOLS = ["", "true", "false", "1", "maybe"];

/** Query parameters of any route, with values that fit and values that do not. */
const PARAMS: Readonly<Record<string, readonly string[]>> = {
  region: ["", "global", "nowhere", "*", "../x"],
  namespace: ["", "default", "*", "nothing", "a b"],
  index: NUMBERS,
  stale: BOOLS,
  consistent: BOOLS,
  pretty: BOOLS,
  prefix: ["", "w", "%", "0000"],
  filter: ["", "ID == web", "ID ==", "Status in (", 'Name matches "["', "not (a is empty)", "((((a"],
  per_page: NUMBERS,
  next_token: ["", "default/web", "garbage", "1.2.3"],
  reverse: BOOLS,
  all: BOOLS,
  diffs: BOOLS,
  purge: BOOLS,
  global: BOOLS,
  eval_priority: NUMBERS,
  no_shutdown_delay: BOOLS,
  version: NUMBERS,
  cas: NUMBERS,
  id: ["", "x"],
  address: ["", "127.0.0.1:1"],
  node: ["", "x"],
  enable: BOOLS,
  topic: ["Job", "Job:a:b", "*"],
  type: ["server", "client", "csi", "x"],
  format: ["prometheus", "x"],
  idempotency_token: ["", "t"],
  resources: BOOLS,
  task_states: BOOLS,
  meta: BOOLS,
  choose: ["", "1|k", "x"],
  related: BOOLS,
  job: ["", "web"],
  status: ["", "pending"],
  diff_version: NUMBERS,
  diff_tag: ["", "t"],
  task: ["", "t"],
  path: ["", "/", "../../etc/passwd"],
  origin: ["", "start", "x"],
  offset: NUMBERS,
};

const param = fc
  .constantFrom(...Object.keys(PARAMS))
  .chain((name) => fc.constantFrom(...(PARAMS[name] as string[])).map((value) => [name, value] as const));

// A wait that was asked for is a short one.
const query = fc
  .array(param, { maxLength: 4 })
  .map(
    (pairs) =>
      new URLSearchParams([...pairs, ["wait", "1ms"]].map(([name, value]) => [name as string, value as string])),
  )
  .map((params) => `?${params}`);

/** Messages that bodies of the API are made of. */
const BODIES = [
  ...["JobRegisterRequest", "JobPlanRequest", "JobRevertRequest", "JobStabilityRequest", "JobEvaluateRequest"],
  ...["DeploymentPauseRequest", "DeploymentPromoteRequest", "DeploymentAllocHealthRequest", "SchedulerConfiguration"],
  ...["NodeDrainRequest", "NodeEligibilityRequest", "AutopilotConfiguration", "Namespace", "NodePool"],
];

const text = (value: unknown) => JSON.stringify(value);

const smallJob = fc.record(
  {
    ID: fc.constantFrom("web", "new", "a/b", "periodic", ""),
    Type: fc.constantFrom("service", "batch", "system", "sysbatch", "x"),
    Priority: fc.constantFrom(50, 0, 101, -1),
    TaskGroups: fc.array(
      fc.record(
        {
          Name: fc.constantFrom("g", ""),
          Count: fc.constantFrom(0, 1, 3, -1),
          Tasks: fc.constantFrom([], [{ Name: "t", Driver: "mock_driver" }]),
        },
        { requiredKeys: ["Name"] },
      ),
      { maxLength: 2 },
    ),
    Periodic: fc.constantFrom({ Enabled: true, SpecType: "cron", Spec: "* * * * *" }, { Enabled: true, Spec: "x" }),
  },
  { requiredKeys: ["ID", "TaskGroups"] },
);

const fitting = fc.record(
  {
    JobID: id,
    DeploymentID: id,
    NodeID: id,
    Eligibility: fc.constantFrom("eligible", "ineligible", "x"),
    Job: smallJob,
    EnforceIndex: fc.boolean(),
    JobModifyIndex: fc.nat({ max: 5 }),
    Name: id,
    Namespace: fc.constantFrom("default", "x"),
    Prefix: fc.string({ maxLength: 3 }),
    Text: fc.string({ maxLength: 3 }),
    Context: fc.constantFrom("all", "jobs", "x"),
    Count: fc.integer({ min: -2, max: 9 }),
    Target: fc.constantFrom({ Group: "g" }, {}),
    JobHCL: fc.constantFrom(
      'job "x" {}',
      "job {",
      "\u0000",
      '{"job":{"x":{}}}',
      '{"job":[{}]}',
      '{"job":{"x":{"type":"${',
    ),
  },
  { requiredKeys: [] },
);

const body = fc.oneof(
  { weight: 5, arbitrary: fitting.map(text) },
  { weight: 2, arbitrary: smallJob.map((Job) => text({ Job })) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(...BODIES)
      .chain((message) => jsonOf(message, 3))
      .map(text),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }).map(text) },
  { weight: 1, arbitrary: fc.string({ maxLength: 30, unit: "binary" }) },
  { weight: 1, arbitrary: fc.constantFrom("", "{", "[]", "null", '{"a":'.repeat(200), '{"__proto__":{"a":1}}') },
);

const headers = fc.record(
  {
    "accept-encoding": fc.constantFrom("gzip", "deflate", "br", "*;q=0"),
    "idempotency-key": fc.constantFrom("k1", "", "k".repeat(300)),
    "x-nomad-token": fc.constantFrom("", "secret"),
    "content-type": fc.constantFrom("application/json", "text/plain", ";;"),
    origin: fc.constant("https://x.example"),
  },
  { requiredKeys: [] },
);

const NO_BODY = new Set(["GET", "HEAD", "OPTIONS"]);

/** A request to any route of the table, or beside it. */
export function requests(resources: readonly Resource[]): fc.Arbitrary<FuzzRequest> {
  const path = fc.constantFrom(...resources).chain(({ path, suffixes }) => {
    if (!path.endsWith("/") || path === "/") return fc.constant(path);
    return fc.tuple(id, fc.constantFrom(...suffixes)).map(([name, { suffix }]) => `${path}${encoded(name)}${suffix}`);
  });
  const anyPath = fc.oneof(
    { weight: 30, arbitrary: path },
    { weight: 1, arbitrary: fc.string({ maxLength: 20, unit: "grapheme" }).map((it) => `/${encoded(it)}`) },
  );
  const method = fc.constantFrom<FuzzRequest["method"]>(
    ...(["GET", "GET", "GET", "HEAD", "PUT", "PUT", "PUT", "POST", "POST", "DELETE", "PATCH", "OPTIONS"] as const),
  );
  return fc.record({ method, path: anyPath, query, headers, body }).map(({ method, path, query, headers, body }) => {
    const safe = ENDLESS.test(path) && method === "GET" ? "HEAD" : method;
    const request = { method: safe, url: `${path}${query}`, headers };
    return NO_BODY.has(safe) ? request : { ...request, payload: body };
  });
}

/** As clients encode; `%00` and its like are left to stand as they are. */
function encoded(name: string): string {
  return name.startsWith("%") ? name : encodeURIComponent(name.toWellFormed());
}
