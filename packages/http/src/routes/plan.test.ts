import { Job, JobDiff, JobPlanResponse, JobVersionsResponse } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { createWorld, META } from "../test-world.ts";

const PLANNED = JobPlanResponse.create({
  ...{ Annotations: { DesiredTGUpdates: { web: { Place: 3 } } }, JobModifyIndex: 7, Index: 12 },
  Warnings: ["costs $& more"],
});
const answers = {
  jobs: {
    plan: async () => PLANNED,
    versions: async () =>
      JobVersionsResponse.create({
        Versions: [Job.create({ ID: "web", Version: 1 }), Job.create({ ID: "web" })],
        Diffs: [JobDiff.create({ Type: "Edited", ID: "web" })],
        Meta: META,
      }),
  },
};

describe("job plan", () => {
  it.each(["PUT", "POST"] as const)("%s: the answer in the API's shape", async (method) => {
    const { app, calls } = createWorld({ answers });
    const payload = '{"Job":{"ID":"a/b"},"Diff":true,"PolicyOverride":true}';
    const reply = await app.inject({ method, url: "/v1/job/a%2Fb/plan", payload });
    expect(Object.keys(reply.json()).sort()).toEqual([
      ...["Annotations", "CreatedEvals", "Diff", "FailedTGAllocs", "Index", "JobModifyIndex"],
      ...["NextPeriodicLaunch", "Warnings"],
    ]);
    expect(reply.json()).toMatchObject({
      Annotations: { DesiredTGUpdates: { web: { Place: 3, Stop: 0 } }, PreemptedAllocs: null },
      Diff: null,
      Warnings: "1 warning:\n\n* costs $& more",
      NextPeriodicLaunch: "0001-01-01T00:00:00Z",
    });
    expect(reply.headers["x-nomad-index"]).toBe("12");
    expect(calls[0]).toMatchObject({ method: "jobs.plan", request: { Job: { ID: "a/b" }, Diff: true } });
  });

  it.each([
    ["", "Request body is empty"],
    ["{}", "Job must be specified"],
    ['{"Job":{}}', "Job must have a valid ID"],
    ['{"Job":{"ID":"api"}}', "Job ID does not match"],
  ])("body %s: 400", async (payload, text) => {
    const { app, calls } = createWorld({ answers });
    const reply = await app.inject({ method: "PUT", url: "/v1/job/web/plan", payload });
    expect([reply.statusCode, reply.body, calls]).toEqual([400, text, []]);
  });
});

describe("job versions", () => {
  it("diffs=true: beside the versions", async () => {
    const { app, calls } = createWorld({ answers });
    const reply = await app.inject({ method: "GET", url: "/v1/job/web/versions?diffs=true" });
    expect(reply.json()).toMatchObject({ Versions: [{ Version: 1 }, { Version: 0 }], Diffs: [{ Type: "Edited" }] });
    expect(calls[0]).toMatchObject({ request: { Diffs: true } });
  });
});
