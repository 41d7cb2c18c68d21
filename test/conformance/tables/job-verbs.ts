import { idleJob, RUNNING, registered, sleeperJob } from "../jobs.ts";
import type { Row, Step, Table } from "../row.ts";
import { a, READ_HEADERS, TEXT_BODY, WRITE_HEADERS } from "../values.ts";

const TEMPLATE = registered(
  idleJob({ type: "batch", job: { ParameterizedJob: { Payload: "optional", MetaRequired: ["file"] } } }),
);
const dispatch = (body: object): Step => ({ line: "PUT /v1/job/$id/dispatch", body });

const badDispatches: readonly [name: string, body: object, text: string][] = [
  ["without its meta", {}, "Dispatch did not provide required meta keys: [file]"],
  ["with other meta", { Meta: { file: "a", x: "" } }, "Dispatch request included unpermitted metadata keys: [x]"],
];

const SCALING = { Scaling: { Min: 0, Max: 3, Enabled: true } };
const scale = (body: object): Step => ({
  line: "PUT /v1/job/$id/scale",
  body: { Target: { Group: "group" }, ...body },
});

const badScales: readonly [name: string, body: object, text: string][] = [
  ["beyond its policy", { Count: 4 }, "group count was greater than scaling policy maximum: 4 > 3"],
  ["below zero", { Count: -1 }, "scaling action count can't be negative"],
  ["with a count and an error", { Count: 1, Error: true }, "scaling action should not contain count if error is true"],
  ["of no group", { Target: {}, Count: 1 }, "missing task group name for scaling action"],
  ["of an unknown group", { Target: { Group: "x" } }, 'task group "x" specified for scaling does not exist in job'],
];

const twice = [registered(), registered({ ...idleJob(), Priority: 60 })];

const table: Table = {
  subject: "/v1/job/:id: dispatch, scale, tags, source, services",
  rows: [
    {
      name: "PUT dispatch, a child with an evaluation",
      given: [TEMPLATE],
      request: dispatch({ Meta: { file: "a" }, Payload: "aGk=" }),
      expect: {
        body: { EvalID: a.uuid, EvalCreateIndex: a.number, JobCreateIndex: a.number, Index: a.number },
        fields: ["DispatchedJobID"],
        headers: WRITE_HEADERS,
      },
    },
    {
      name: "GET a dispatched child, with payload and parent",
      given: [TEMPLATE, { ...dispatch({ Meta: { file: "a" }, Payload: "aGk=" }), save: { child: "DispatchedJobID" } }],
      request: "GET /v1/job/$child",
      expect: { body: { ParentID: "$id", Dispatched: true, Payload: "aGk=", Meta: { file: "a" } } },
    },
    {
      name: "PUT dispatch twice with a token, the same child",
      given: [
        TEMPLATE,
        {
          line: "PUT /v1/job/$id/dispatch?idempotency_token=t",
          body: { Meta: { file: "a" } },
          save: { child: "DispatchedJobID" },
        },
      ],
      request: { line: "PUT /v1/job/$id/dispatch?idempotency_token=t", body: { Meta: { file: "a" } } },
      expect: { body: { DispatchedJobID: "$child" } },
    },
    ...badDispatches.map(
      ([name, body, text]): Row => ({
        name: `PUT dispatch ${name}: 500`,
        given: [TEMPLATE],
        request: dispatch(body),
        expect: { status: 500, text, headers: TEXT_BODY },
      }),
    ),
    {
      name: "PUT dispatch of an unknown job: 500",
      request: dispatch({}),
      expect: { status: 500, text: "parameterized job not found" },
    },
    {
      name: "PUT dispatch of a job that is none: 500",
      given: [registered()],
      request: dispatch({}),
      expect: { status: 500, text: 'Specified job "$id" is not a parameterized job' },
    },
    {
      name: "GET scale, groups with their events",
      given: [registered(idleJob({ group: SCALING })), scale({ Message: "no metrics", Error: true })],
      request: "GET /v1/job/$id/scale",
      expect: {
        body: {
          JobID: "$id",
          JobStopped: false,
          TaskGroups: {
            group: {
              ...{ Desired: 0, Placed: 0, Running: 0, Healthy: 0, Unhealthy: 0 },
              Events: [{ Message: "no metrics", Error: true, Count: null, EvalID: null, PreviousCount: 0 }],
            },
          },
        },
        headers: READ_HEADERS,
      },
    },
    {
      name: "PUT scale, an evaluation",
      given: [registered(idleJob({ type: "batch", group: SCALING }))],
      request: scale({ Count: 0 }),
      expect: { body: { EvalID: a.uuid, JobModifyIndex: a.number, Index: a.number }, headers: WRITE_HEADERS },
    },
    ...badScales.map(
      ([name, body, text]): Row => ({
        name: `PUT scale ${name}: 400`,
        given: [registered(idleJob({ group: SCALING }))],
        request: scale(body),
        expect: { status: 400, text, headers: TEXT_BODY },
      }),
    ),
    {
      name: "PUT scale of an unknown job: 404",
      request: scale({}),
      expect: { status: 404, text: 'job "$id" not found' },
    },
    {
      name: "GET scale of an unknown job: 404",
      request: "GET /v1/job/$id/scale",
      expect: { status: 404, text: "job not found", headers: READ_HEADERS },
    },
    {
      name: "GET scaling policies ?job, the group's",
      given: [registered(idleJob({ group: SCALING }))],
      request: "GET /v1/scaling/policies?job=$id",
      expect: {
        body: [{ ID: a.uuid, Enabled: true, Type: "horizontal", Target: { Job: "$id", Group: "group" } }],
        fields: ["CreateIndex", "ModifyIndex"],
        headers: READ_HEADERS,
      },
    },
    {
      name: "GET an unknown scaling policy: 404",
      request: "GET /v1/scaling/policy/8c1ab9bb-0000-4000-8000-000000000000",
      expect: { status: 404, text: "policy not found" },
    },
    {
      name: "PUT a tag, and it shows at its version",
      given: [...twice, { line: "PUT /v1/job/$id/versions/golden/tag", body: { Version: 0, Description: "good" } }],
      request: "GET /v1/job/$id/versions",
      expect: { body: { Versions: [{ VersionTag: null }, { VersionTag: { Name: "golden", Description: "good" } }] } },
    },
    {
      name: "GET versions ?diff_tag, against it",
      given: [...twice, { line: "PUT /v1/job/$id/versions/golden/tag", body: { Version: 0 } }],
      request: "GET /v1/job/$id/versions?diffs=true&diff_tag=golden",
      expect: { body: { Diffs: [{ Type: "Edited", Fields: [{ Name: "Priority", Old: "50", New: "60" }] }] } },
    },
    {
      name: "PUT a tag at another path: 404",
      given: [registered()],
      request: { line: "PUT /v1/job/$id/golden/tag", body: {} },
      expect: { status: 404, text: "invalid job tag endpoint" },
    },
    {
      name: "GET submission, the source of a version",
      given: [
        {
          line: "PUT /v1/jobs",
          body: { Job: idleJob(), Submission: { Source: "job {}", Format: "hcl2", Variables: "a = 1" } },
        },
      ],
      request: "GET /v1/job/$id/submission?version=0",
      expect: { body: { Source: "job {}", Format: "hcl2", Variables: "a = 1", JobID: "$id", Version: 0 } },
    },
    {
      name: "GET submission of none: 404",
      given: [registered()],
      request: "GET /v1/job/$id/submission?version=7",
      expect: { status: 404, text: "job source not found" },
    },
    {
      name: "GET submission without a version: 400",
      request: "GET /v1/job/$id/submission",
      expect: { status: 400, text: "Unable to parse job submission version parameter" },
    },
    {
      name: "GET services of an unknown job: 404",
      request: "GET /v1/job/$id/services",
      expect: { status: 404, text: "job not found", headers: READ_HEADERS },
    },
    {
      name: "GET a service, where its allocation offers it",
      given: [
        registered(
          sleeperJob({ group: { Services: [{ Name: "$id", Provider: "nomad", PortLabel: "7001", Tags: ["t"] }] } }),
        ),
        RUNNING,
        { line: "GET /v1/service/$id", until: [{ AllocID: "$alloc" }] },
      ],
      request: "GET /v1/service/$id",
      expect: {
        body: [{ ServiceName: "$id", JobID: "$id", AllocID: "$alloc", NodeID: "$node", Port: 7001, Tags: ["t"] }],
        fields: ["ID", "Namespace", "Datacenter", "Address", "CreateIndex", "ModifyIndex"],
        headers: READ_HEADERS,
      },
    },
    {
      name: "GET an unknown service: 200, []",
      request: "GET /v1/service/$id",
      expect: { body: [], headers: READ_HEADERS },
    },
    {
      name: "GET a service ?choose that is malformed: 400",
      request: "GET /v1/service/$id?choose=x",
      expect: { status: 400, text: "Parameter for choose must be in form '<number>|<key>'" },
    },
    {
      name: "PUT again with its Idempotency-Key, the first answer",
      given: [
        {
          ...{ line: "PUT /v1/jobs", body: { Job: idleJob() }, headers: { "Idempotency-Key": "$id" } },
          save: { eval: "EvalID" },
        },
      ],
      request: { line: "PUT /v1/jobs", body: { Job: idleJob() }, headers: { "Idempotency-Key": "$id" } },
      expect: { body: { EvalID: "$eval" } },
      differs: "6.4",
    },
  ],
};

export default table;
