// Jobs that name their regions, with three regions of real processes.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, eventually, type Json, watchUntil } from "../kit/api.ts";
import { type Agent, Cluster, type Region } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";

const UPDATE = { MaxParallel: 1, MinHealthyTime: 100e6, HealthyDeadline: 10e9, ProgressDeadline: 120e9 };
const NAMES = ["us", "eu", "asia"] as const;

let cluster: Cluster;
let regions: Region[];

const http = (n: number) => regions[n]?.servers[0]?.http ?? "";

/** Counts of 1, 2 and 3. */
function job(id: string, version: string, config: object = { run_for: "1h" }) {
  const Regions = NAMES.map((Name, n) => ({ Name, Count: n + 1, Meta: { where: Name } }));
  const group = {
    ...{ Update: { ...UPDATE, AutoRevert: true }, Meta: { version } },
    RestartPolicy: { Attempts: 0, Interval: 60e9, Delay: 1e9, Mode: "fail" },
    ReschedulePolicy: { Attempts: 0, Unlimited: false },
  };
  const Multiregion = { Strategy: { MaxParallel: 1, OnFailure: "" }, Regions };
  return { Job: mockTaskJob(id, { count: 0, config: { ...config }, group, job: { Multiregion } }) };
}

const latest = (status: string, version: number) => (deployment: Json) =>
  deployment !== null && deployment.Status === status && deployment.JobVersion === version;

const everywhere = (id: string, status: string, version: number) =>
  Promise.all(NAMES.map((_, n) => watchUntil(`${http(n)}/v1/job/${id}/deployment`, latest(status, version), 60_000)));

async function know(count: number): Promise<void> {
  await eventually(`each knows ${count} regions`, 30_000, async () => {
    for (const { servers } of regions) {
      const { body } = await call<Json[]>("GET", `${servers[0]?.http}/v1/regions`);
      if (body.length !== count) throw new Error(JSON.stringify(body));
    }
  });
}

beforeAll(async () => {
  cluster = await Cluster.create({ embedded: true });
  regions = [];
  for (const name of NAMES) regions.push(await cluster.addRegion({ name, servers: 1, workers: 0, clients: 1 }));
  await know(3);
}, 120_000);

afterAll(async () => cluster.close(), 60_000);

describe("a job in three regions", () => {
  test("plan, shows the region's own copy", async () => {
    const { body } = await call("PUT", `${http(0)}/v1/job/planned/plan?region=eu`, {
      ...job("planned", "a"),
      Diff: true,
    });
    expect(body.Annotations.DesiredTGUpdates.group.Place).toBe(2);
    const region = body.Diff.Fields.find((it: Json) => it.Name === "Region");
    expect(region).toMatchObject({ Type: "Added", New: "eu" });
  });

  test("registered once, goes through the regions one after the other and ends well in all", async () => {
    const { status, body } = await call("PUT", `${http(0)}/v1/job/web`, job("web", "a"));
    expect([status, body.Warnings]).toEqual([200, ""]);
    const ended = await everywhere("web", "successful", 0);
    for (const [n, { body: deployment }] of ended.entries()) {
      expect(deployment).toMatchObject({ IsMultiregion: true, TaskGroups: { group: { DesiredTotal: n + 1 } } });
      const { body: own } = await call("GET", `${http(n)}/v1/job/web`);
      expect(own).toMatchObject({ Region: NAMES[n], Meta: { where: NAMES[n] } });
    }
    const lists = await Promise.all(NAMES.map((_, n) => call<Json[]>("GET", `${http(n)}/v1/job/web/allocations`)));
    const times = lists.map(({ body: list }) => list.map((it) => Number(it.CreateTime)));
    const ends = lists.map(({ body: list }) =>
      Math.max(...list.map((it) => Date.parse(it.DeploymentStatus.Timestamp))),
    );
    expect(times.map(({ length }) => length)).toEqual([1, 2, 3]);
    // The next region begins when the one before it is healthy.
    for (const n of [1, 2]) expect(Math.min(...(times[n] ?? [])) / 1e6).toBeGreaterThanOrEqual(ends[n - 1] ?? 0);
  }, 120_000);

  test("registered again unchanged, answers and makes no version", async () => {
    const { status } = await call("PUT", `${http(1)}/v1/job/web`, job("web", "a"));
    expect(status).toBe(200);
    for (const [n] of NAMES.entries()) expect((await call("GET", `${http(n)}/v1/job/web`)).body.Version).toBe(0);
  });

  test("the first region fails, those behind it fail without a change, and all go back", async () => {
    await call("PUT", `${http(0)}/v1/job/web`, job("web", "b", { run_for: "20ms", exit_code: 1 }));
    await everywhere("web", "successful", 2);
    for (const n of [1, 2]) {
      const { body } = await call<Json[]>("GET", `${http(n)}/v1/job/web/deployments`);
      const failed = body.find((it) => it.JobVersion === 1);
      expect(failed?.Status).toBe("failed");
      expect(failed?.StatusDescription).toContain("Failed because of an error in peer region");
      expect(failed?.TaskGroups.group.PlacedAllocs).toBe(0);
    }
  }, 120_000);

  test("a region is down, it alone is held back and gets its part when it is back", async () => {
    // The node agent knows the server by a port that it will not have again.
    for (const agent of [...(regions[2]?.clients ?? []), ...(regions[2]?.servers ?? [])]) await agent.kill();
    const { status, body } = await call("PUT", `${http(0)}/v1/job/late`, job("late", "a"));
    expect(status).toBe(200);
    expect(body.Warnings).toContain('region "asia" did not take the job yet');
    for (const n of [0, 1]) await watchUntil(`${http(n)}/v1/job/late/deployment`, latest("successful", 0), 60_000);
    await cluster.restartServer(regions[2] as Region, regions[2]?.servers[0] as Agent);
    await cluster.addClient(regions[2] as Region);
    await know(3);
    // Its old node counts as ready for a while, so what is placed there takes longer than is of interest here.
    const begun = (it: Json) => it?.IsMultiregion && ["running", "successful"].includes(it.Status);
    const { body: own } = await watchUntil(`${http(2)}/v1/job/late/deployment`, begun, 60_000);
    expect(own.TaskGroups.group).toMatchObject({ DesiredTotal: 3 });
    expect((await call("GET", `${http(2)}/v1/job/late`)).body).toMatchObject({
      Region: "asia",
      Meta: { where: "asia" },
    });
  }, 180_000);

  test("stopped with global, is dead in every region", async () => {
    expect((await call("DELETE", `${http(1)}/v1/job/web?global=true`)).status).toBe(200);
    for (const [n] of NAMES.entries()) {
      expect((await call("GET", `${http(n)}/v1/job/web`)).body.Stop).toBe(true);
    }
  });
});
