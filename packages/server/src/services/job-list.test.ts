import { toJson } from "@steppe/model";
import { mockJob } from "@steppe/model/internal";
import { JobListRequest, JobListResponse, type JobListStub } from "@steppe/proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type HttpRegion, openHttpRegion } from "../testing/http-region.ts";

interface Row {
  readonly ID: string;
}

let region: HttpRegion;

beforeEach(async () => {
  region = await openHttpRegion();
});

afterEach(() => region.close());

test("rows of a list, tell the moment of the read, whenever they are written", async () => {
  await region.register(mockJob({ ID: "web", Priority: 40, Meta: { owner: "a" } }));
  const call = { signal: new AbortController().signal, timeoutMs: 10_000 };
  const rows = async (Meta: boolean) => (await region.services.jobs.list(JobListRequest.create({ Meta }), call)).Jobs;
  const written = (row: JobListStub | undefined) => row && JSON.parse(toJson("JobListStub", row));
  const [read] = await rows(true);
  const before = (await region.call("GET", "/v1/jobs?meta=true")).json[0];
  await region.register(mockJob({ ID: "web", Priority: 70 }));

  expect(written(read)).toEqual(before);
  const forwarded = JobListResponse.decode(
    JobListResponse.encode({ Jobs: [read as JobListStub], Meta: undefined }).finish(),
  );
  expect(written(forwarded.Jobs[0])).toEqual(before);
  expect(written((await rows(false))[0])).toMatchObject({ Priority: 70 });
  expect((await rows(false))[0]?.Meta).toEqual({});
  expect(before).toMatchObject({ ID: "web", Priority: 40, Meta: { owner: "a" }, Status: "pending" });
  expect(before.JobSummary).toMatchObject({ JobID: "web", Summary: { web: { Starting: 0 } } });
  expect(before.JobSummary.Children).toEqual({ Pending: 0, Running: 0, Dead: 0 });
});

test("jobs that come, go and come again between lists, are each in its place", async () => {
  const list = async (query = "") => (await region.call("GET", `/v1/jobs${query}`)).json.map((it: Row) => it.ID);
  for (const ID of ["m", "c", "x"]) await region.register(mockJob({ ID }));
  expect(await list()).toEqual(["c", "m", "x"]);
  for (const ID of ["z", "a", "n"]) await region.register(mockJob({ ID }));
  await region.call("DELETE", "/v1/job/m?purge=true");
  expect(await list()).toEqual(["a", "c", "n", "x", "z"]);
  await region.register(mockJob({ ID: "m" }));
  await region.call("DELETE", "/v1/job/z?purge=true");
  expect(await list("?reverse=true")).toEqual(["x", "n", "m", "c", "a"]);
  expect(await list("?per_page=2&next_token=default.c")).toEqual(["c", "m"]);
});
