import { idleJob, registered } from "../jobs.ts";
import type { Row, Table } from "../row.ts";
import { a, JSON_BODY, READ_HEADERS, TEXT_BODY, WRITE_HEADERS } from "../values.ts";

const malformed: readonly [name: string, body: unknown, text: string | RegExp][] = [
  ["no body", undefined, "Request body is empty"],
  ["no job in it", { EnforceIndex: true }, "Job must be specified"],
  ["a job without ID", { Job: { Name: "x" } }, "Job ID hasn't been provided"],
  ["a broken text", "{", /./],
  ["a field of another kind", { Job: { ID: "$id", TaskGroups: "none" } }, /^json: cannot unmarshal string/],
  [
    "an evaluation priority above 100",
    { Job: idleJob(), EvalPriority: 101 },
    /^Eval priority must be between 1 and 100/,
  ],
];

const invalid: readonly [name: string, change: object, text: RegExp][] = [
  ["a space in its ID", { ID: "$id x" }, /Job ID contains a space/],
  ["an unknown type", { Type: "nothing" }, /Invalid job type: "nothing"/],
  ["no groups", { TaskGroups: [] }, /Missing job task groups/],
  ["a priority of 101", { Priority: 101 }, /job priority must be between \[1, 100\]/],
  [
    "an unknown operand",
    { Constraints: [{ LTarget: "x", RTarget: "y", Operand: "?" }] },
    /Unknown constraint type "\?"/,
  ],
];

const table: Table = {
  subject: "/v1/jobs",
  rows: [
    {
      name: "GET ?prefix, the job's stub",
      given: [registered()],
      request: "GET /v1/jobs?prefix=$id",
      expect: {
        body: [{ ID: "$id", Name: "$id", Type: "service", Priority: 50, Status: a.text, JobSummary: { JobID: "$id" } }],
        fields: ["ParentID", "StatusDescription", "CreateIndex", "ModifyIndex", "JobModifyIndex", "SubmitTime", "Stop"],
        headers: { ...JSON_BODY, ...READ_HEADERS },
      },
    },
    {
      name: "GET ?prefix of none, an empty list",
      request: "GET /v1/jobs?prefix=$id",
      expect: { body: [], headers: READ_HEADERS },
    },
    ...(["PUT", "POST"] as const).map(
      (method): Row => ({
        name: `${method}, registers and tells evaluation and index`,
        request: { line: `${method} /v1/jobs`, body: { Job: idleJob() } },
        expect: {
          body: {
            EvalID: a.uuid,
            EvalCreateIndex: a.number,
            JobModifyIndex: a.number,
            Index: a.number,
            Warnings: a.text,
          },
          headers: { ...JSON_BODY, ...WRITE_HEADERS },
        },
      }),
    ),
    ...malformed.map(
      ([name, body, text]): Row => ({
        name: `PUT ${name}: 400`,
        request: { line: "PUT /v1/jobs", body },
        expect: { status: 400, text, headers: TEXT_BODY },
      }),
    ),
    ...invalid.map(
      ([name, change, text]): Row => ({
        name: `PUT with ${name}: 500`,
        request: { line: "PUT /v1/jobs", body: { Job: { ...idleJob(), ...change } } },
        expect: { status: 500, text },
      }),
    ),
    {
      name: "PUT a periodic job, no evaluation",
      request: {
        line: "PUT /v1/jobs",
        body: {
          Job: idleJob({ type: "batch", job: { Periodic: { Enabled: true, SpecType: "cron", Spec: "0 0 1 1 *" } } }),
        },
      },
      expect: { body: { EvalID: "" }, headers: WRITE_HEADERS },
    },
  ],
};

export default table;
