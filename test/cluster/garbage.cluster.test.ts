// Garbage collection by a real leader, with real workers and agents. Catches: a threshold that the configuration gives
// and no duty reads, and a collection that takes what still runs.
import { expect, test } from "vitest";
import { call, eventually, type Json, watchUntil } from "../kit/api.ts";
import { Cluster } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";

const EAGER = [
  '  job_gc_interval = "500ms"',
  '  job_gc_threshold = "1s"',
  '  eval_gc_threshold = "1s"',
  '  batch_eval_gc_threshold = "1s"',
  '  deployment_gc_threshold = "1s"',
].join("\n");

test("jobs that ended, go with all they had; one that runs stays as it is (1 region, 1 server, 1 client)", async () => {
  await using cluster = await Cluster.create({ embedded: true, serverOptions: EAGER });
  const region = await cluster.addRegion({ name: "us", servers: 1, workers: 1, clients: 1 });
  const http = region.servers[0]?.http ?? "";
  await call("PUT", `${http}/v1/jobs`, { Job: mockTaskJob("runs") });
  const running = (list: Json[]) => list.length === 1 && list[0].ClientStatus === "running";
  const { body } = await watchUntil<Json[]>(`${http}/v1/job/runs/allocations`, running, 30_000);
  for (let n = 0; n < 5; n++) {
    const job = mockTaskJob(`ends-${n}`, { type: "batch", config: { run_for: "10ms" } });
    expect((await call("PUT", `${http}/v1/jobs`, { Job: job })).status).toBe(200);
  }
  await eventually("what ended is gone", 60_000, async () => {
    const [jobs, allocations] = await Promise.all(
      ["jobs", "allocations"].map(async (list) => (await call<Json[]>("GET", `${http}/v1/${list}`)).body),
    );
    expect(jobs?.map(({ ID }) => ID)).toEqual(["runs"]);
    expect(allocations?.map(({ ID }) => ID)).toEqual([body[0].ID]);
    const evaluations = (await call<Json[]>("GET", `${http}/v1/evaluations`)).body;
    expect(evaluations.filter(({ JobID }) => JobID !== "runs")).toEqual([]);
  });
  expect((await call("GET", `${http}/v1/allocation/${body[0].ID}`)).body.ClientStatus).toBe("running");
  await cluster.stopJobs();
});
