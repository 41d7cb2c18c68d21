import { fromJson } from "@steppe/model";
import {
  AllocationListResponse,
  AllocListStub,
  Evaluation,
  EvaluationListResponse,
  type Job,
  type JobAllocationsRequest,
  JobGetResponse,
  JobSummary,
  JobSummaryResponse,
  JobVersionsResponse,
} from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { createWorld, META, META_HEADERS } from "../test-world.ts";

const JOB = fromJson<Job>("Job", { ID: "web", Name: "web", Meta: { where: "Zürich" }, ModifyIndex: 14 });

const found = { jobs: { get: async () => JobGetResponse.create({ Job: JOB, Meta: META }) } };

describe("GET job", () => {
  it("known job: 200, compact JSON, headers of the read", async () => {
    const { app, calls } = createWorld({ answers: found });
    const reply = await app.inject("/v1/job/web");
    expect(reply.statusCode).toBe(200);
    expect(reply.headers).toMatchObject({
      ...META_HEADERS,
      "content-type": "application/json",
      "content-length": String(reply.rawPayload.length),
      vary: "Accept-Encoding",
    });
    expect(reply.headers["x-nomad-nexttoken"]).toBeUndefined();
    expect(reply.json()).toMatchObject({ ID: "web", Meta: { where: "Zürich" }, TaskGroups: null, ModifyIndex: 14 });
    expect(reply.body.endsWith("}")).toBe(true);
    expect(calls.map(({ method }) => method)).toEqual(["jobs.get"]);
  });

  it("unknown job: 404 that carries the headers of the read", async () => {
    const { app } = createWorld({ answers: { jobs: { get: async () => JobGetResponse.create({ Meta: META }) } } });
    const reply = await app.inject("/v1/job/nothing");
    expect([reply.statusCode, reply.body]).toEqual([404, "job not found"]);
    expect(reply.headers).toMatchObject(META_HEADERS);
  });

  it("the same job object twice: serialised once, and a changed job again", async () => {
    let reads = 0;
    const counted: Job = Object.defineProperty({ ...JOB }, "Name", { get: () => `web read ${++reads}` });
    let job = counted;
    const { app } = createWorld({ answers: { jobs: { get: async () => ({ Job: job, Meta: META }) } } });
    const first = await app.inject("/v1/job/web");
    expect((await app.inject("/v1/job/web")).body).toBe(first.body);
    expect(reads).toBe(1);
    job = { ...JOB, Priority: 70 };
    expect((await app.inject("/v1/job/web")).json().Priority).toBe(70);
  });

  it("tokens that came with the job: never shown", async () => {
    const secret = { ...JOB, VaultToken: "hush", ConsulToken: "hush" };
    const { app } = createWorld({
      answers: {
        jobs: {
          get: async () => JobGetResponse.create({ Job: secret, Meta: META }),
          versions: async () => JobVersionsResponse.create({ Versions: [secret], Meta: META }),
        },
      },
    });
    expect((await app.inject("/v1/job/web")).body).not.toContain("hush");
    expect((await app.inject("/v1/job/web/versions")).body).not.toContain("hush");
  });

  const paths: [string, string][] = [
    ["a/b", "a/b"],
    ["a%2Fb", "a/b"],
    ["a%20b", "a b"],
    ["%E2%82%AC%F0%9F%9A%80", "€🚀"],
    ["100%25", "100%"],
    ["a%252Fb", "a%2Fb"],
    ["a+b", "a+b"],
    ["a//b/", "a//b/"],
    ["a%3Fb%23c", "a?b#c"],
    ["allocations", "allocations"],
    ["", ""],
    ["x".repeat(1000), "x".repeat(1000)],
  ];
  it.each(paths)("path %s: job %s", async (path, id) => {
    const { app, calls } = createWorld({ answers: found });
    await app.inject(`/v1/job/${path}`);
    expect(calls[0]).toMatchObject({ method: "jobs.get", request: { JobID: id } });
  });

  it.each(["%", "%zz", "%ff", "a%2"])("path with bad encoding %s: 400", async (path) => {
    const { app, calls } = createWorld({ answers: found });
    const reply = await app.inject(`/v1/job/${path}`);
    expect([reply.statusCode, reply.body]).toEqual([400, "Invalid percent-encoding in path"]);
    expect(calls).toEqual([]);
  });
});

describe("below a job", () => {
  it("allocations: stubs without resources, and `all` as a bool", async () => {
    const stub = AllocListStub.create({ ID: "3575ba9d", JobID: "web", DesiredStatus: "run" });
    const { app, calls } = createWorld({
      answers: {
        jobs: { allocations: async () => AllocationListResponse.create({ Allocations: [stub], Meta: META }) },
      },
    });
    const reply = await app.inject("/v1/job/a/periodic-1/allocations?all=true");
    expect(reply.headers).toMatchObject(META_HEADERS);
    const [shown] = reply.json();
    expect(shown).toMatchObject({ ID: "3575ba9d", DesiredStatus: "run", TaskStates: null });
    expect(shown).not.toHaveProperty("AllocatedResources");
    await app.inject("/v1/job/web/allocations?all=sure");
    expect(calls.map(({ request }) => (request as JobAllocationsRequest).All)).toEqual([true, false]);
    expect(calls[0]).toMatchObject({ request: { JobID: "a/periodic-1" } });
  });

  it("allocations and evaluations of an unknown job: 200 []", async () => {
    const { app } = createWorld({
      answers: {
        jobs: {
          allocations: async () => AllocationListResponse.create({ Meta: META }),
          evaluations: async () => EvaluationListResponse.create({ Meta: META }),
        },
      },
    });
    for (const path of ["allocations", "evaluations"]) {
      const reply = await app.inject(`/v1/job/web/${path}`);
      expect([reply.statusCode, reply.body]).toEqual([200, "[]"]);
    }
  });

  it("evaluations: full objects", async () => {
    const evaluation = Evaluation.create({ ID: "151accaa", Status: "complete", TriggeredBy: "job-register" });
    const { app, calls } = createWorld({
      answers: {
        jobs: { evaluations: async () => EvaluationListResponse.create({ Evaluations: [evaluation], Meta: META }) },
      },
    });
    const reply = await app.inject("/v1/job/a%2Fb/evaluations");
    expect(reply.json()).toMatchObject([{ ID: "151accaa", Status: "complete", NextEval: "", Wait: 0 }]);
    expect(calls[0]?.request).toMatchObject({ JobID: "a/b" });
  });

  it("summary: 200, and 404 for an unknown job", async () => {
    const summary = JobSummary.create({ JobID: "web", Summary: { api: { Running: 3 } as never } });
    const { app } = createWorld({
      answers: {
        jobs: {
          summary: async ({ JobID }) =>
            JobSummaryResponse.create({ ...(JobID === "web" ? { Summary: summary } : {}), Meta: META }),
        },
      },
    });
    expect((await app.inject("/v1/job/web/summary")).json()).toMatchObject({ Summary: { api: { Running: 3 } } });
    const reply = await app.inject("/v1/job/other/summary");
    expect([reply.statusCode, reply.body]).toEqual([404, "job not found"]);
    expect(reply.headers).toMatchObject(META_HEADERS);
  });

  it("versions: wrapped with the read's meta, and 404 for an unknown job", async () => {
    const { app } = createWorld({
      answers: {
        jobs: {
          versions: async ({ JobID }) =>
            JobVersionsResponse.create({ Versions: JobID === "web" ? [{ ...JOB, Version: 1 }, JOB] : [], Meta: META }),
        },
      },
    });
    expect((await app.inject("/v1/job/web/versions")).json()).toMatchObject({
      Versions: [{ Version: 1 }, { Version: 0 }],
      Diffs: null,
      Index: 14,
      LastContact: 2_900_000,
      KnownLeader: true,
      NextToken: "",
    });
    const reply = await app.inject("/v1/job/other/versions");
    expect([reply.statusCode, reply.body]).toEqual([404, "job versions not found"]);
  });

  it("an action, without a websocket: 400; by another method: 405; and no job of that ID is touched", async () => {
    const { app, calls } = createWorld({});
    const text = "failed to upgrade connection: websocket: the client is not using the websocket protocol";
    const get = await app.inject({ method: "GET", url: "/v1/job/web/action" });
    expect([get.statusCode, get.body]).toEqual([400, text]);
    for (const method of ["PUT", "DELETE"] as const) {
      const reply = await app.inject({ method, url: "/v1/job/web/action" });
      expect([reply.statusCode, reply.body]).toEqual([405, "Invalid method"]);
    }
    expect(calls).toEqual([]);
  });
});
