import { RUNNING, registered, sleeperJob } from "../jobs.ts";
import type { Table } from "../row.ts";
import { JSON_BODY, READ_HEADERS } from "../values.ts";

const NOBODY = "00000000-0000-0000-0000-000000000000";

const table: Table = {
  subject: "/v1/evaluations and /v1/evaluation/:id",
  rows: [
    {
      name: "GET list by job",
      given: [registered()],
      request: "GET /v1/evaluations?job=$id&per_page=1000",
      expect: { body: [{ ID: "$eval", JobID: "$id" }], headers: { ...JSON_BODY, ...READ_HEADERS } },
    },
    {
      name: "GET one",
      given: [registered()],
      request: "GET /v1/evaluation/$eval",
      expect: {
        body: { ID: "$eval", JobID: "$id", TriggeredBy: "job-register", Namespace: "default" },
        fields: ["Priority", "Type", "Status", "CreateIndex", "ModifyIndex", "CreateTime", "ModifyTime"],
        headers: READ_HEADERS,
      },
    },
    {
      name: "GET an unknown one: 404",
      request: `GET /v1/evaluation/${NOBODY}`,
      expect: { status: 404, text: "eval not found", headers: READ_HEADERS },
    },
    {
      name: "GET its allocations",
      given: [registered(sleeperJob()), RUNNING],
      request: "GET /v1/evaluation/$eval/allocations",
      expect: { body: [{ ID: "$alloc", EvalID: "$eval" }] },
    },
    {
      name: "GET allocations of an unknown one: 200, empty",
      request: `GET /v1/evaluation/${NOBODY}/allocations`,
      expect: { body: [] },
    },
  ],
};

export default table;
