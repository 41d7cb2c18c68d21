// The main job with real processes: requests that cross regions, and what is left when parts die.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, eventually, type Json, watchUntil } from "../kit/api.ts";
import { Cluster, type Region } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";

let cluster: Cluster;
let us: Region;
let eu: Region;

const http = (region: Region, n = 0) => region.servers[n]?.http ?? "";

beforeAll(async () => {
  cluster = await Cluster.create({ embedded: false });
  us = await cluster.addRegion({ name: "us", servers: 1, workers: 1, clients: 0 });
  eu = await cluster.addRegion({ name: "eu", servers: 2, workers: 1, clients: 1 });
  await eventually("each knows both regions", 15_000, async () => {
    for (const server of [...us.servers, ...eu.servers]) {
      const { body } = await call("GET", `${server.http}/v1/regions`);
      if (JSON.stringify(body) !== '["eu","us"]') throw new Error(JSON.stringify(body));
    }
  });
}, 90_000);

afterAll(async () => cluster.close(), 60_000);

const running = (allocations: Json[]) =>
  allocations.length > 0 && allocations.every((it) => it.ClientStatus === "running");

describe("two regions", () => {
  test("register in us for eu, runs in eu and is unknown in us", async () => {
    const registered = await call("PUT", `${http(us)}/v1/job/crossing?region=eu`, {
      Job: mockTaskJob("crossing", { count: 3 }),
    });
    expect(registered.status).toBe(200);
    expect(registered.body.EvalID).toMatch(/^[0-9a-f-]{36}$/);
    const { body } = await watchUntil<Json[]>(`${http(us)}/v1/job/crossing/allocations?region=eu`, running, 30_000);
    expect(body).toHaveLength(3);
    const job = await call("GET", `${http(us)}/v1/job/crossing?region=eu`);
    expect(job.body).toMatchObject({ ID: "crossing", Region: "eu", Status: "running", Version: 0 });
    expect((await call("GET", `${http(us)}/v1/job/crossing`)).status).toBe(404);
  });

  test("a write repeated with its Idempotency-Key through the other region, answers the first result", async () => {
    const headers = { "Idempotency-Key": "once-and-only-once" };
    const body = { Job: mockTaskJob("once") };
    const first = await call("PUT", `${http(us)}/v1/job/once?region=eu`, body, { headers });
    const second = await call("PUT", `${http(eu, 1)}/v1/job/once`, body, { headers });
    expect(second.body).toEqual(first.body);
    const evaluations = await call("GET", `${http(eu)}/v1/job/once/evaluations`);
    expect(evaluations.body).toHaveLength(1);
  });

  test("a blocking query through us, wakes for a change in eu of that job only", async () => {
    await call("PUT", `${http(eu)}/v1/job/watched`, { Job: mockTaskJob("watched") });
    await watchUntil<Json[]>(`${http(eu)}/v1/job/watched/allocations`, running, 30_000);
    const before = await call("GET", `${http(us)}/v1/job/watched?region=eu`);
    let woken = false;
    const waiting = call("GET", `${http(us)}/v1/job/watched?region=eu&index=${before.index}&wait=60s`, undefined, {
      timeoutMs: 70_000,
    }).then((answer) => {
      woken = true;
      return answer;
    });
    await call("PUT", `${http(eu)}/v1/job/unrelated`, { Job: mockTaskJob("unrelated") });
    await watchUntil<Json[]>(`${http(eu)}/v1/job/unrelated/allocations`, running, 30_000);
    expect(woken).toBe(false);
    const updated = { ...mockTaskJob("watched"), Priority: 60 };
    await call("PUT", `${http(eu)}/v1/job/watched`, { Job: updated });
    const answer = await waiting;
    expect(answer.index).toBeGreaterThan(before.index);
    expect(answer.body.Priority).toBe(60);
  });

  test("an unknown region, answers No path to region", async () => {
    const answer = await call("GET", `${http(us)}/v1/jobs?region=nowhere`);
    expect([answer.status, answer.body]).toEqual([500, "No path to region"]);
  });

  test("members and peers, show both regions' servers with their roles", async () => {
    const { body } = await call("GET", `${http(us)}/v1/agent/members`);
    expect(body.Members.map((it: Json) => it.Tags.region).sort()).toEqual(["eu", "eu", "us"]);
    expect((await call("GET", `${http(us)}/v1/status/peers?region=eu`)).body).toHaveLength(2);
    const leader = await call("GET", `${http(us)}/v1/status/leader?region=eu`);
    expect(eu.servers.map((server) => server.rpc)).toContain(leader.body);
  });

  test("kill -9 of eu's lease holder, writes go on at once and scheduling after the lease ran out", async () => {
    const leader = (await call("GET", `${http(eu)}/v1/status/leader`)).body;
    const holder = eu.servers.find((server) => server.rpc === leader);
    const other = eu.servers.find((server) => server.rpc !== leader);
    await holder?.kill();
    const registered = await call("PUT", `${http(us)}/v1/job/after?region=eu`, { Job: mockTaskJob("after") });
    expect(registered.status).toBe(200);
    await watchUntil<Json[]>(`${other?.http}/v1/job/after/allocations`, running, 30_000);
    expect((await call("GET", `${other?.http}/v1/status/leader`)).body).toBe(other?.rpc);
  }, 60_000);

  test("all servers of eu dead, us answers No path to region and works on", async () => {
    for (const server of eu.servers) await server.kill();
    const answer = await call("GET", `${http(us)}/v1/jobs?region=eu`, undefined, { timeoutMs: 6000 });
    expect([answer.status, answer.body]).toEqual([500, "No path to region"]);
    expect((await call("PUT", `${http(us)}/v1/job/local`, { Job: mockTaskJob("local") })).status).toBe(200);
    await eventually("us no longer lists eu", 15_000, async () => {
      const { body } = await call("GET", `${http(us)}/v1/regions`);
      if (JSON.stringify(body) !== '["us"]') throw new Error(JSON.stringify(body));
    });
  }, 60_000);
});
