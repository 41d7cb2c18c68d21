import { registered, sleeperJob } from "../jobs.ts";
import type { Row, Step, Table } from "../row.ts";
import { JSON_BODY, READ_HEADERS } from "../values.ts";

const NOBODY = "00000000-0000-0000-0000-000000000000";

const ROLLING: Step = {
  line: "GET /v1/job/$id/deployments",
  until: [{ JobID: "$id" }],
  save: { deployment: "0.ID" },
};

const table: Table = {
  subject: "/v1/deployments and /v1/deployment/:id",
  rows: [
    { name: "GET list", request: "GET /v1/deployments", expect: { headers: { ...JSON_BODY, ...READ_HEADERS } } },
    {
      name: "GET one",
      given: [registered(sleeperJob()), ROLLING],
      request: "GET /v1/deployment/$deployment",
      expect: {
        body: { ID: "$deployment", JobID: "$id", JobVersion: 0, TaskGroups: { group: { DesiredTotal: 1 } } },
        fields: ["Status", "StatusDescription", "JobCreateIndex", "JobModifyIndex", "CreateIndex", "ModifyIndex"],
        headers: READ_HEADERS,
      },
    },
    {
      name: "GET an unknown one: 404",
      request: `GET /v1/deployment/${NOBODY}`,
      expect: { status: 404, text: "deployment not found", headers: READ_HEADERS },
    },
    {
      name: "GET allocations of an unknown one: 200, empty",
      request: `GET /v1/deployment/allocations/${NOBODY}`,
      expect: { body: [] },
    },
    ...["pause", "promote", "allocation-health"].map(
      (action): Row => ({
        name: `PUT ${action} without a body: 400`,
        request: `PUT /v1/deployment/${action}/${NOBODY}`,
        expect: { status: 400, text: "Request body is empty" },
      }),
    ),
    {
      name: "PUT pause with another ID than the path's: 400",
      request: { line: `PUT /v1/deployment/pause/${NOBODY}`, body: { DeploymentID: "other", Pause: true } },
      expect: { status: 400, text: "Deployment ID does not match" },
    },
    {
      name: "PUT fail an unknown one: 500",
      request: `PUT /v1/deployment/fail/${NOBODY}`,
      expect: { status: 500, text: /deployment not found$/ },
    },
  ],
};

export default table;
