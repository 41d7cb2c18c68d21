import { idleJob, RUNNING, registered, sleeperJob } from "../jobs.ts";
import type { Row, Table } from "../row.ts";
import { a, JSON_BODY, READ_HEADERS, TEXT_BODY, WRITE_HEADERS } from "../values.ts";

const notFound: readonly [path: string, text: string][] = [
  ["", "job not found"],
  ["/summary", "job not found"],
  ["/versions", "job versions not found"],
];

const empty: readonly [path: string, body: unknown][] = [
  ["/allocations", []],
  ["/evaluations", []],
  ["/deployments", []],
  ["/deployment", null],
];

const PERIODIC = { Periodic: { Enabled: true, SpecType: "cron", Spec: "0 0 1 1 *" } };

const table: Table = {
  subject: "/v1/job/:id",
  rows: [
    ...notFound.map(
      ([path, text]): Row => ({
        name: `GET ${path} of an unknown job: 404 with the headers of a read`,
        request: `GET /v1/job/$id${path}`,
        expect: { status: 404, text, headers: { ...TEXT_BODY, ...READ_HEADERS } },
      }),
    ),
    ...empty.map(
      ([path, body]): Row => ({
        name: `GET ${path} of an unknown job: 200, ${JSON.stringify(body)}`,
        request: `GET /v1/job/$id${path}`,
        expect: { body, headers: { ...JSON_BODY, ...READ_HEADERS } },
      }),
    ),
    {
      name: "GET, the job with its defaults",
      given: [registered()],
      request: "GET /v1/job/$id",
      expect: {
        body: {
          ID: "$id",
          Name: "$id",
          Namespace: "default",
          Region: "$region",
          NodePool: "default",
          Priority: 50,
          Version: 0,
          Stop: false,
          TaskGroups: [
            {
              RestartPolicy: { Attempts: 2, Interval: 1800e9, Delay: 15e9, Mode: "fail" },
              ReschedulePolicy: { Unlimited: true, Delay: 30e9, DelayFunction: "exponential", MaxDelay: 3600e9 },
              Update: { MaxParallel: 1, HealthCheck: "checks", ProgressDeadline: 600e9 },
              Tasks: [{ KillTimeout: 5e9 }],
            },
          ],
        },
        fields: ["Status", "CreateIndex", "ModifyIndex", "JobModifyIndex", "SubmitTime", "Stable", "Dispatched"],
        headers: { ...JSON_BODY, ...READ_HEADERS },
      },
    },
    {
      name: "GET with slashes in its ID",
      given: [registered({ ...idleJob(), ID: "$id/a/b" })],
      request: "GET /v1/job/$id/a/b",
      expect: { body: { ID: "$id/a/b" } },
    },
    {
      name: "GET /evaluations, the one its registration made",
      given: [registered()],
      request: "GET /v1/job/$id/evaluations",
      expect: { body: [{ ID: "$eval", TriggeredBy: "job-register", JobID: "$id", Type: "service", Priority: 50 }] },
    },
    {
      name: "GET /allocations, stubs of what runs",
      given: [registered(sleeperJob()), RUNNING],
      request: "GET /v1/job/$id/allocations",
      expect: {
        body: [{ ID: "$alloc", Name: "$id.group[0]", JobID: "$id", TaskGroup: "group", DesiredStatus: "run" }],
        fields: ["EvalID", "NodeID", "NodeName", "JobVersion", "TaskStates", "CreateTime", "ModifyTime", "ModifyIndex"],
      },
    },
    {
      name: "GET /summary, counts by group",
      given: [registered()],
      request: "GET /v1/job/$id/summary",
      expect: {
        body: {
          JobID: "$id",
          Summary: { group: { Running: 0, Failed: 0 } },
          Children: { Pending: 0, Running: 0, Dead: 0 },
        },
      },
    },
    {
      name: "GET /versions ?diffs, newest first with what changed",
      given: [registered(), registered({ ...idleJob(), Priority: 60 })],
      request: "GET /v1/job/$id/versions?diffs=true",
      expect: { body: { Versions: [{ Version: 1 }, { Version: 0 }], Diffs: [{ Type: "Edited" }] } },
    },
    {
      name: "PUT with another ID than the path's: 400",
      request: { line: "PUT /v1/job/$id", body: { Job: { ...idleJob(), ID: "other" } } },
      expect: { status: 400, text: "Job ID does not match name" },
    },
    {
      name: "PUT EnforceIndex 0 of a job that exists: 500",
      given: [registered()],
      request: { line: "PUT /v1/job/$id", body: { Job: idleJob(), EnforceIndex: true, JobModifyIndex: 0 } },
      expect: { status: 500, text: /Enforcing job modify index 0: job already exists$/ },
    },
    {
      name: "PUT EnforceIndex of a job that does not exist: 500",
      request: { line: "PUT /v1/job/$id", body: { Job: idleJob(), EnforceIndex: true, JobModifyIndex: 7 } },
      expect: { status: 500, text: /Enforcing job modify index 7: job does not exist$/ },
    },
    {
      name: "PUT of another type: 500",
      given: [registered()],
      request: { line: "PUT /v1/job/$id", body: { Job: idleJob({ type: "batch" }) } },
      expect: { status: 500, text: /cannot update job from type "service" to "batch"/ },
    },
    {
      name: "PUT /evaluate without a body, a new evaluation",
      given: [registered()],
      request: "PUT /v1/job/$id/evaluate",
      expect: { body: { EvalID: a.uuid, JobModifyIndex: a.number }, headers: WRITE_HEADERS },
    },
    {
      name: "PUT /evaluate of an unknown job: 500",
      request: "PUT /v1/job/$id/evaluate",
      expect: { status: 500, text: /job not found$/ },
    },
    {
      name: "PUT /evaluate of a periodic job: 500",
      given: [registered(idleJob({ type: "batch", job: PERIODIC }))],
      request: "PUT /v1/job/$id/evaluate",
      expect: { status: 500, text: /can't evaluate periodic job$/ },
    },
    {
      name: "PUT /periodic/force, launches a child",
      given: [registered(idleJob({ type: "batch", job: PERIODIC }))],
      request: "PUT /v1/job/$id/periodic/force",
      expect: { body: { EvalID: a.uuid, EvalCreateIndex: a.number }, headers: WRITE_HEADERS },
    },
    {
      name: "PUT /periodic/force of a job that is none: 500",
      given: [registered()],
      request: "PUT /v1/job/$id/periodic/force",
      expect: { status: 500, text: /can't force launch non-periodic job$/ },
    },
    {
      name: "PUT /plan, tells what would be and registers nothing",
      request: { line: "PUT /v1/job/$id/plan", body: { Job: idleJob(), Diff: true } },
      expect: {
        body: {
          JobModifyIndex: 0,
          Diff: { Type: "Added", ID: "$id" },
          Annotations: { DesiredTGUpdates: { group: {} } },
        },
        fields: ["FailedTGAllocs", "CreatedEvals", "NextPeriodicLaunch", "Warnings"],
      },
    },
    {
      name: "DELETE, stops and keeps it",
      given: [registered(), "DELETE /v1/job/$id"],
      request: "GET /v1/job/$id",
      expect: { body: { Stop: true, Version: 1 } },
    },
    {
      name: "DELETE ?purge, forgets it",
      given: [registered(), "DELETE /v1/job/$id?purge=true"],
      request: "GET /v1/job/$id",
      expect: { status: 404, text: "job not found" },
    },
    {
      name: "DELETE, tells its evaluation",
      given: [registered()],
      request: "DELETE /v1/job/$id",
      expect: { body: { EvalID: a.uuid, EvalCreateIndex: a.number }, headers: { ...JSON_BODY, ...WRITE_HEADERS } },
    },
    {
      name: "DELETE of an unknown job: 200 without an evaluation",
      request: "DELETE /v1/job/$id",
      expect: { body: { EvalID: "" } },
    },
    {
      name: "DELETE with a purge that is no bool: 500",
      request: "DELETE /v1/job/$id?purge=maybe",
      expect: { status: 500, text: /^Failed to parse value of "purge" \(maybe\) as a bool/ },
    },
    {
      name: "PUT /revert to a version that is not kept: 500",
      given: [registered()],
      request: { line: "PUT /v1/job/$id/revert", body: { JobID: "$id", JobVersion: 9 } },
      expect: { status: 500, text: /job "[^"]+" in namespace "default" at version 9 not found/ },
    },
    {
      name: "PUT /stable, marks the version",
      given: [registered(), { line: "PUT /v1/job/$id/stable", body: { JobID: "$id", JobVersion: 0, Stable: true } }],
      request: "GET /v1/job/$id",
      expect: { body: { Stable: true } },
    },
  ],
};

export default table;
