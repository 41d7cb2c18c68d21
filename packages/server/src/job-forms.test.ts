// Jobs as clients of all times send them: 0.5's JSON, and that of today, which is what a GET gives.
import { PERIODIC_JOB, SEED_JOB, TASK_NETWORK_JOB } from "@steppe/model/internal";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HttpRegion, openHttpRegion } from "./testing/http-region.ts";

let region: HttpRegion;

beforeEach(async () => {
  region = await openHttpRegion();
});

afterEach(() => region.close());

const jobOf = (form: unknown): { ID: string } => {
  const { Job } = form as { Job?: { ID: string } };
  return Job ?? (form as { ID: string });
};

describe.each([
  ["the seed document", SEED_JOB],
  ["networks at the task", TASK_NETWORK_JOB],
  ["a periodic one", PERIODIC_JOB],
])("a job of 0.5, %s", (_, form) => {
  test("is registered; what a GET then gives, today's form, registers without a new version", async () => {
    const job = jobOf(form);
    expect(await region.call("PUT", "/v1/jobs", { Job: job })).toMatchObject({ status: 200 });
    const url = `/v1/job/${encodeURIComponent(job.ID)}`;
    const today = await region.call("GET", url);
    expect(today.json).toMatchObject({
      ID: job.ID,
      Version: 0,
      Namespace: "default",
      NodePool: "default",
      Stop: false,
    });
    expect(await region.call("PUT", url, { Job: today.json })).toMatchObject({ status: 200 });
    expect((await region.call("GET", url)).json).toEqual(today.json);
  });
});
