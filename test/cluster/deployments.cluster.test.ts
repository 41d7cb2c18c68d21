// Rollouts as a user sees them, with real agents: server, worker and node agent are processes.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, type Json, watchUntil } from "../kit/api.ts";
import { Cluster } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";

const UPDATE = { MaxParallel: 1, MinHealthyTime: 100e6, HealthyDeadline: 10e9, ProgressDeadline: 30e9 };

/** `meta` tells versions apart; a change of it replaces allocations. */
function job(id: string, count: number, meta: string, update: object = {}, config: object = { run_for: "1h" }) {
  const RestartPolicy = { Attempts: 0, Interval: 60e9, Delay: 1e9, Mode: "fail" };
  const ReschedulePolicy = { Attempts: 0, Unlimited: false };
  const group = { Update: { ...UPDATE, ...update }, RestartPolicy, ReschedulePolicy, Meta: { version: meta } };
  return { Job: mockTaskJob(id, { count, config: { ...config }, group }) };
}

const latest = (status: string, version: number) => (deployment: Json) =>
  deployment !== null && deployment.Status === status && deployment.JobVersion === version;

const live = (list: Json[]) => list.filter((it) => it.DesiredStatus === "run" && it.ClientStatus === "running");
const versions = (list: Json[]) =>
  live(list)
    .map((it) => it.JobVersion)
    .sort();

describe("deployments (1 server, 1 worker, 1 node)", () => {
  let cluster: Cluster;
  let http = "";
  beforeAll(async () => {
    cluster = await Cluster.create({ embedded: false });
    const region = await cluster.addRegion({ name: "us", servers: 1, workers: 1, clients: 1 });
    http = region.servers[0]?.http ?? "";
  }, 60_000);
  afterAll(async () => cluster.close());

  test("a new version, rolls out one by one and ends successful and stable", async () => {
    const url = `${http}/v1/job/rolling`;
    await call("PUT", url, job("rolling", 3, "a"));
    await watchUntil(`${url}/deployment`, latest("successful", 0), 20_000);
    await call("PUT", url, job("rolling", 3, "b"));
    const { body } = await watchUntil(`${url}/deployment`, latest("successful", 1), 30_000);
    expect(body).toMatchObject({
      StatusDescription: "Deployment completed successfully",
      TaskGroups: { group: { DesiredTotal: 3, PlacedAllocs: 3, HealthyAllocs: 3, UnhealthyAllocs: 0 } },
    });
    expect((await call("GET", url)).body).toMatchObject({ Version: 1, Stable: true });
    const { body: list } = await call<Json[]>("GET", `${http}/v1/deployment/allocations/${body.ID}`);
    expect(versions(list)).toEqual([1, 1, 1]);
    expect(list.every((it) => it.DeploymentStatus.Healthy)).toBe(true);
    // One at a time: each came only once the one before was healthy.
    const steps = new Set(list.map((it) => it.CreateIndex));
    expect(steps.size).toBe(3);
    expect((await call("GET", `${url}/deployments`)).body).toHaveLength(2);
    expect((await call("GET", `${http}/v1/deployments?prefix=${body.ID.slice(0, 8)}`)).body).toHaveLength(1);
  });

  test("a change that needs no restart, is healthy again at once", async () => {
    const url = `${http}/v1/job/in-place`;
    const first = job("in-place", 2, "a");
    await call("PUT", url, first);
    await watchUntil(`${url}/deployment`, latest("successful", 0), 20_000);
    await call("PUT", url, { Job: { ...first.Job, Priority: 70 } });
    await watchUntil(`${url}/deployment`, latest("successful", 1), 20_000);
    expect((await call<Json[]>("GET", `${url}/allocations`)).body).toHaveLength(2);
  });

  test("a failing update with AutoRevert, is rolled back", async () => {
    const url = `${http}/v1/job/reverting`;
    const update = { AutoRevert: true };
    await call("PUT", url, job("reverting", 2, "a", update));
    await watchUntil(`${url}/deployment`, latest("successful", 0), 20_000);
    await call("PUT", url, job("reverting", 2, "b", update, { run_for: "20ms", exit_code: 1 }));
    await watchUntil(`${url}/deployment`, latest("successful", 2), 30_000);
    const { body } = await call<Json[]>("GET", `${url}/deployments`);
    expect(body.find((it) => it.JobVersion === 1)).toMatchObject({
      Status: "failed",
      StatusDescription: "Failed due to unhealthy allocations - rolling back to job version 0",
    });
    const { body: list } = await call<Json[]>("GET", `${url}/allocations`);
    expect(versions(list)).toEqual([2, 2]);
    expect((await call("GET", url)).body.TaskGroups[0].Tasks[0].Config).toEqual({ run_for: "1h" });
  });

  test("a canary, waits for its promotion by hand", async () => {
    const url = `${http}/v1/job/canary`;
    await call("PUT", url, job("canary", 3, "a", { Canary: 1 }));
    await watchUntil(`${url}/deployment`, latest("successful", 0), 20_000);
    await call("PUT", url, job("canary", 3, "b", { Canary: 1 }));
    const ready = (it: Json) => it.JobVersion === 1 && it.TaskGroups.group.HealthyAllocs === 1;
    const { body } = await watchUntil(`${url}/deployment`, ready, 20_000);
    expect(body.StatusDescription).toBe("Deployment is running but requires manual promotion");
    expect(versions((await call<Json[]>("GET", `${url}/allocations`)).body)).toEqual([0, 0, 0, 1]);
    const promoted = await call("PUT", `${http}/v1/deployment/promote/${body.ID}`, {
      DeploymentID: body.ID,
      All: true,
    });
    expect([promoted.status, promoted.body.RevertedJobVersion]).toEqual([200, null]);
    expect(promoted.index).toBe(promoted.body.DeploymentModifyIndex);
    await watchUntil(`${url}/deployment`, latest("successful", 1), 30_000);
    await watchUntil<Json[]>(`${url}/allocations`, (list) => versions(list).join() === "1,1,1", 10_000);
    const again = await call("PUT", `${http}/v1/deployment/promote/${body.ID}`, { DeploymentID: body.ID, All: true });
    expect([again.status, again.body]).toEqual([500, "can't promote terminal deployment"]);
  });

  test("AutoPromote, goes on by itself when the canaries are healthy", async () => {
    const url = `${http}/v1/job/auto`;
    const update = { Canary: 2, AutoPromote: true };
    await call("PUT", url, job("auto", 2, "a", update));
    await watchUntil(`${url}/deployment`, latest("successful", 0), 20_000);
    await call("PUT", url, job("auto", 2, "b", update));
    const { body } = await watchUntil(`${url}/deployment`, latest("successful", 1), 30_000);
    expect(body.TaskGroups.group).toMatchObject({ Promoted: true, DesiredCanaries: 2 });
    expect(body.TaskGroups.group.PlacedCanaries).toHaveLength(2);
    await watchUntil<Json[]>(`${url}/allocations`, (list) => versions(list).join() === "1,1", 10_000);
  });

  test("revert by hand, to a version that is named", async () => {
    const url = `${http}/v1/job/rolling`;
    const wrong = await call("PUT", `${url}/revert`, { JobID: "rolling", JobVersion: 1 });
    expect([wrong.status, wrong.body]).toEqual([500, "can't revert to current version"]);
    const back = await call("PUT", `${url}/revert`, { JobID: "rolling", JobVersion: 0 });
    expect(back.status).toBe(200);
    await watchUntil(`${url}/deployment`, latest("successful", 2), 30_000);
    expect((await call("GET", url)).body.TaskGroups[0].Meta).toEqual({ version: "a" });
  });

  test("a job without a deployment, null; an unknown deployment, 404", async () => {
    expect((await call("GET", `${http}/v1/job/nobody/deployment`)).body).toBe(null);
    const unknown = await call("GET", `${http}/v1/deployment/00000000-0000-4000-8000-000000000000`);
    expect([unknown.status, unknown.body]).toEqual([404, "deployment not found"]);
  });
});
