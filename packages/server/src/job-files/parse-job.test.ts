import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HttpRegion, openHttpRegion } from "../testing/http-region.ts";

let region: HttpRegion;

beforeEach(async () => {
  region = await openHttpRegion();
});

afterEach(() => region.close());

const JOB = 'variable "n" {}\njob "web" { group "g" { count = var.n\n task "t" { driver = "mock_driver" } } }';
const parse = (fields: object) => region.call("POST", "/v1/jobs/parse", fields);

describe("jobs parse", () => {
  test("a job file with variables, gives a job with null for what is not set", async () => {
    const { status, json } = await parse({ JobHCL: JOB, Variables: "n = 3" });
    expect(status).toBe(200);
    expect(json).toMatchObject({ ID: "web", Name: "web", Region: null, Namespace: null, Type: null, Priority: null });
    expect(json.TaskGroups[0]).toMatchObject({ Name: "g", Count: 3, RestartPolicy: null });
  });

  test("Canonicalize, fills in defaults; what comes out can be registered", async () => {
    const { json } = await parse({ JobHCL: JOB, Variables: "n = 3", Canonicalize: true });
    expect(json).toMatchObject({ Region: "global", Namespace: "default", Type: "service", Priority: 50 });
    expect(json.TaskGroups[0].RestartPolicy).toMatchObject({ Attempts: 2, Mode: "fail" });
    const source = { Source: JOB, Format: "hcl2", Variables: "n = 3" };
    expect(await region.call("PUT", "/v1/jobs", { Job: json, Submission: source })).toMatchObject({ status: 200 });
    const kept = await region.call("GET", "/v1/job/web/submission?version=0");
    expect(kept.json).toMatchObject({ ...source, Namespace: "default", JobID: "web", Version: 0 });
  });

  test.each([
    [{}, "Job spec is empty"],
    [{ JobHCL: JOB }, 'Failed to parse job: input.hcl:1:1: Unset variable "n"'],
    [{ JobHCL: 'job "x" {\n  nope = 1\n}' }, 'input.hcl:2:3: an option named "nope" is not expected here'],
    [
      { JobHCL: `#${"x".repeat(2_000_000)}` },
      "Failed to parse job: job source size of 2.0 MB exceeds maximum of 1.0 MB",
    ],
    [{ JobHCL: JOB, HCLv1: true }, "HCL version 1 is not supported"],
  ])("%.40j, is refused", async (fields, text) => {
    const answer = await parse(fields);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(text);
  });
});

test("a source larger than is kept, is dropped with a warning; the job is registered", async () => {
  const { json: job } = await parse({ JobHCL: JOB, Variables: "n = 0", Canonicalize: true });
  const Submission = { Source: `${JOB}\n#${"x".repeat(700_000)}`, Format: "hcl2" };
  const { status, json } = await region.call("PUT", "/v1/jobs", { Job: job, Submission });
  expect(status).toBe(200);
  expect(json.Warnings).toContain("job source size of 700 kB exceeds maximum of 700 kB and will be discarded");
  expect(await region.call("GET", "/v1/job/web/submission?version=0")).toMatchObject({ status: 404 });
});
