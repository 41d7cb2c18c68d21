import { Job, JobScaleStatus, JobStatusesJob, JobSubmission, ScalingPolicy } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { createWorld, META, META_HEADERS, REGISTERED } from "../test-world.ts";

const DISPATCHED = { DispatchedJobID: "a/dispatch-1-x", EvalID: "e", EvalCreateIndex: 7, JobCreateIndex: 7, Index: 7 };
const TAGGED = { Name: "golden", Description: "good", TaggedTime: 5, Index: 9 };

const answers = {
  jobs: {
    dispatch: async () => DISPATCHED,
    scale: async () => REGISTERED,
    scaleStatus: async () => ({ JobScaleStatus: JobScaleStatus.create({ JobID: "web" }), Meta: META }),
    tag: async () => TAGGED,
    submission: async () => ({ Submission: JobSubmission.create({ Source: "job {}", Format: "hcl2" }), Meta: META }),
    actions: async () => ({
      Found: true,
      Actions: [{ Name: "ls", Command: "ls", Args: [], TaskName: "t", TaskGroupName: "g" }],
      Meta: META,
    }),
    versions: async () => ({ Versions: [Job.create({ ID: "web" })], Diffs: [], Meta: META }),
    validate: async () => ({
      DriverConfigValidated: true,
      ValidationErrors: ["bad"],
      Error: "1 error occurred:\n\t* bad\n\n",
      Warnings: ["odd"],
    }),
    statuses: async () => ({
      Jobs: [JobStatusesJob.create({ ID: "p", HasChildren: true }), JobStatusesJob.create({ ID: "web" })],
      Meta: META,
    }),
  },
  scaling: {
    list: async () => ({
      Policies: [
        { ID: "1", Enabled: true, Type: "horizontal", Target: { Job: "web" }, CreateIndex: 1, ModifyIndex: 2 },
      ],
      Meta: META,
    }),
    get: async () => ({ Policy: ScalingPolicy.create({ ID: "1", Min: 1, Max: 3 }), Meta: META }),
  },
};

const send = async (method: "GET" | "PUT" | "POST" | "DELETE", url: string, payload?: string | Buffer) => {
  const { app, calls } = createWorld({ answers, others: ["eu"] });
  const reply = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { reply, call: calls[0] };
};

describe("dispatch", () => {
  it("a body: its payload, meta and token, in the API's shape", async () => {
    const body = '{"Payload":"aGk=","Meta":{"k":"v"},"IdempotencyToken":"body","IdPrefixTemplate":"p"}';
    const { reply, call } = await send("PUT", "/v1/job/a%2Fb/dispatch?region=eu&idempotency_token=t", body);
    expect([reply.statusCode, reply.headers["x-nomad-index"], reply.json()]).toEqual([200, "7", DISPATCHED]);
    expect(call).toMatchObject({
      region: "eu",
      method: "jobs.dispatch",
      request: { JobID: "a/b", Payload: new Uint8Array([104, 105]), Meta: { k: "v" }, IdempotencyToken: "t" },
    });
  });

  it("dispatch/payload: the whole body is the payload, JSON or not", async () => {
    const url = "/v1/job/a/dispatch/payload?priority=60&id_prefix_template=p&idempotency_token=t";
    const { reply, call } = await send("POST", url, Buffer.from([0, 255, 123]));
    expect(reply.json()).toEqual(DISPATCHED);
    const Payload = Buffer.from([0, 255, 123]);
    expect(call?.request).toMatchObject({
      JobID: "a",
      Payload,
      Priority: 60,
      IdPrefixTemplate: "p",
      IdempotencyToken: "t",
    });
  });

  it.each([
    ["", "Request body is empty"],
    ['{"JobID":"b"}', "Job ID does not match"],
    ['{"Payload":"?"}', "illegal base64 data in field JobDispatchRequest.Payload"],
  ])("body %s: 400", async (body, text) => {
    const { reply, call } = await send("PUT", "/v1/job/a/dispatch", body);
    expect([reply.statusCode, reply.body, call]).toEqual([400, text, undefined]);
  });
});

describe("scale", () => {
  it("GET: the groups with the read's headers; 404 for an unknown job", async () => {
    const { reply } = await send("GET", "/v1/job/web/scale");
    expect(reply.headers).toMatchObject(META_HEADERS);
    expect(reply.json()).toMatchObject({ JobID: "web", JobStopped: false, TaskGroups: null });
    const unknown = createWorld({
      answers: { jobs: { scaleStatus: async () => ({ JobScaleStatus: undefined, Meta: META }) } },
    });
    const absent = await unknown.app.inject("/v1/job/web/scale");
    expect([absent.statusCode, absent.body, absent.headers["x-nomad-index"]]).toEqual([404, "job not found", "14"]);
  });

  it("PUT: a count, and one that is null", async () => {
    const { reply, call } = await send("PUT", "/v1/job/web/scale", '{"Target":{"Group":"g"},"Count":3,"Meta":{"a":1}}');
    expect(reply.json()).toMatchObject({ EvalID: REGISTERED.EvalID, Index: 35 });
    expect(call?.request).toMatchObject({ JobID: "web", Target: { Group: "g" }, Count: 3, Meta: { a: 1 } });
    const event = await send("POST", "/v1/job/web/scale", '{"Target":{"Group":"g"},"Count":null,"Error":true}');
    expect(event.call?.request).toMatchObject({ Count: undefined, Error: true });
  });
});

describe("version tags", () => {
  it("PUT and DELETE: name a version of a job, slashes and all", async () => {
    const put = await send("PUT", "/v1/job/a%2Fb/versions/golden/tag", '{"Version":2,"Description":"good"}');
    expect(put.reply.json()).toMatchObject(TAGGED);
    expect(put.call?.request).toMatchObject({ JobID: "a/b", Name: "golden", Version: 2, Remove: false });
    const removed = await send("DELETE", "/v1/job/web/versions/golden/tag?region=eu");
    expect(removed.call).toMatchObject({ region: "eu", request: { JobID: "web", Name: "golden", Remove: true } });
  });

  it("other paths: 404 with the API's text", async () => {
    const { reply } = await send("PUT", "/v1/job/web/golden/tag", "{}");
    expect([reply.statusCode, reply.body]).toEqual([404, "invalid job tag endpoint"]);
  });

  it("diffs against a tag or a version: are passed on; a bad version is refused", async () => {
    const tagged = await send("GET", "/v1/job/web/versions?diffs=true&diff_tag=golden&diff_version=3");
    expect(tagged.call?.request).toMatchObject({ Diffs: true, DiffTag: "golden", DiffVersion: 3 });
    const bad = await send("GET", "/v1/job/web/versions?diff_version=x");
    expect([bad.reply.statusCode, bad.call]).toEqual([400, undefined]);
  });
});

describe("source and actions", () => {
  it("submission: of the version asked for", async () => {
    const { reply, call } = await send("GET", "/v1/job/web/submission?version=3");
    expect(reply.json()).toMatchObject({ Source: "job {}", Format: "hcl2" });
    expect(call?.request).toMatchObject({ JobID: "web", Version: 3 });
  });

  it.each(["", "?version=", "?version=-1", "?version=x"])("submission%s: 400", async (query) => {
    const { reply } = await send("GET", `/v1/job/web/submission${query}`);
    expect([reply.statusCode, reply.body]).toEqual([400, "Unable to parse job submission version parameter"]);
  });

  it("what is not there: 404 with the API's texts", async () => {
    const none = {
      submission: async () => ({ Submission: undefined, Meta: META }),
      actions: async () => ({ Found: false, Actions: [], Meta: META }),
    };
    const { app } = createWorld({ answers: { jobs: none } });
    const submission = await app.inject("/v1/job/web/submission?version=0");
    expect([submission.statusCode, submission.body]).toEqual([404, "job source not found"]);
    const actions = await app.inject("/v1/job/web/actions");
    expect([actions.statusCode, actions.body]).toEqual([404, 'Unknown job "web"']);
  });

  it("actions: each with its task", async () => {
    const { reply } = await send("GET", "/v1/job/web/actions");
    expect(reply.json()).toEqual([{ Name: "ls", Command: "ls", Args: null, TaskName: "t", TaskGroupName: "g" }]);
  });
});

describe("jobs", () => {
  it("statuses: children's statuses are a list where there may be children, null elsewhere", async () => {
    const { reply, call } = await send("GET", "/v1/jobs/statuses?include_children=true&namespace=*");
    expect(reply.json()).toMatchObject([
      { ID: "p", ChildStatuses: [], Allocs: null, LatestDeployment: null },
      { ID: "web", ChildStatuses: null },
    ]);
    expect(reply.headers).toMatchObject(META_HEADERS);
    expect(call?.request).toMatchObject({ IncludeChildren: true, Query: { Namespace: "*" } });
    const named = await send("POST", "/v1/jobs/statuses", '{"Jobs":[{"ID":"web","Namespace":"prod"}]}');
    expect(named.call?.request).toMatchObject({ Jobs: [{ ID: "web", Namespace: "prod" }], IncludeChildren: false });
  });

  it("validate: what is wrong and what is odd, by the region that would run it", async () => {
    const { reply, call } = await send("PUT", "/v1/validate/job", '{"Job":{"ID":"web","Region":"eu"}}');
    expect(reply.json()).toEqual({
      ...{ DriverConfigValidated: true, ValidationErrors: ["bad"] },
      ...{ Error: "1 error occurred:\n\t* bad\n\n", Warnings: "1 warning:\n\n* odd" },
    });
    expect(call).toMatchObject({ region: "eu", request: { Job: { ID: "web", Region: "eu" } } });
    const empty = await send("PUT", "/v1/validate/job", "{}");
    expect([empty.reply.statusCode, empty.reply.body]).toEqual([400, "Job must be specified"]);
  });

  it("scaling policies: by job and type; 404 for an unknown one", async () => {
    const { reply, call } = await send("GET", "/v1/scaling/policies?job=web&type=horizontal");
    expect(reply.json()).toMatchObject([{ ID: "1", Enabled: true, Target: { Job: "web" } }]);
    expect(call?.request).toMatchObject({ Job: "web", Type: "horizontal" });
    expect((await send("GET", "/v1/scaling/policy/1")).reply.json()).toMatchObject({ ID: "1", Min: 1, Max: 3 });
    const { app } = createWorld({ answers: { scaling: { get: async () => ({ Policy: undefined, Meta: META }) } } });
    const absent = await app.inject("/v1/scaling/policy/2");
    expect([absent.statusCode, absent.body]).toEqual([404, "policy not found"]);
  });
});
