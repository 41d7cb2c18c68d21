// Proves that what was acknowledged outlives the loss of the region's log: NATS nodes that lose their
// disks, a stream that is made anew empty, one that comes back from an old backup. Catches: serving
// from a log that lacks what was applied, a rebuild from a server that is behind, an index that goes back.
import { cp, rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { call, eventually, type Json } from "../kit/api.ts";
import { type Agent, Cluster, type Region } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";

const SETTLED_MS = 90_000;

/** Three servers that agree before they rebuild, and a worker. */
async function startRegion(cluster: Cluster, nats: 1 | 3): Promise<Region> {
  const region = await cluster.addRegion({ name: "us", servers: 0, workers: 0, clients: 0, natsNodes: nats });
  await Promise.all([1, 2, 3].map(() => cluster.addServer(region)));
  await cluster.addWorker(region);
  return region;
}

const create = () => Cluster.create({ embedded: false, serverOptions: "bootstrap_expect = 3" });

/** Registers jobs, each through another server; resolves with the largest index that was told. */
async function register(servers: readonly Agent[], ids: readonly string[]): Promise<number> {
  let index = 0;
  for (const [n, id] of ids.entries()) {
    const server = servers[n % servers.length];
    const headers = { "Idempotency-Key": `register-${id}` };
    const body = await eventually(`${id} is registered`, SETTLED_MS, async () => {
      const answer = await call("PUT", `${server?.http}/v1/job/${id}`, { Job: mockTaskJob(id) }, { headers });
      if (answer.status !== 200) throw new Error(`${answer.status} ${String(answer.body)}`);
      return answer.body;
    });
    index = Math.max(index, body.JobModifyIndex);
  }
  return index;
}

const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}-${n}`);

/** Every server has exactly these jobs, and its index is past `index`. */
async function expectJobs(servers: readonly Agent[], ids: readonly string[], index: number): Promise<void> {
  for (const server of servers) {
    const jobs = await eventually(`${server.name} serves`, SETTLED_MS, async () => {
      const answer = await call<Json[]>("GET", `${server.http}/v1/jobs?consistent`);
      if (answer.status !== 200) throw new Error(`${answer.status} ${String(answer.body)}`);
      return answer;
    });
    expect(jobs.body.map(({ ID }) => ID).sort()).toEqual([...ids].sort());
    expect(jobs.index).toBeGreaterThanOrEqual(index);
  }
}

async function stopNats({ natsServers }: Region): Promise<void> {
  await Promise.all(natsServers.map((server) => server.kill()));
}

async function startNats({ natsServers }: Region): Promise<void> {
  await Promise.all(natsServers.map((server) => server.restart()));
}

async function evaluated({ servers, workers }: Region, jobId: string): Promise<void> {
  await eventually(`a worker decides on ${jobId}`, SETTLED_MS, async () => {
    const { body } = await call<Json[]>("GET", `${servers[0]?.http}/v1/job/${jobId}/evaluations`);
    if (body.some(({ Status }) => Status === "complete")) return;
    const lines = workers.flatMap((worker) => worker.lines.slice(-10).map((line) => JSON.stringify(line)));
    throw new Error(`${JSON.stringify(body)}\n${lines.join("\n")}`);
  });
}

test("all NATS nodes stop, one loses its data, then all lose it: no registration is lost, no index goes back (3 servers, 3 NATS nodes)", async () => {
  await using cluster = await create();
  const region = await startRegion(cluster, 3);
  const { servers } = region;
  const first = numbered("first", 20);
  let index = await register(servers, first);

  await stopNats(region);
  await rm(region.natsServers[0]?.storeDir ?? "", { recursive: true });
  await startNats(region);
  await expectJobs(servers, first, index);
  const second = numbered("second", 20);
  index = await register(servers, second);

  await stopNats(region);
  await Promise.all(region.natsServers.map(({ storeDir }) => rm(storeDir, { recursive: true })));
  await startNats(region);
  await expectJobs(servers, [...first, ...second], index);
  const third = numbered("third", 3);
  expect(await register(servers, third)).toBeGreaterThan(index);
  await evaluated(region, "third-0");
  await expectJobs(servers, [...first, ...second, ...third], index);
}, 280_000);

test("the stream comes back from an old backup, the servers' journals have what it lacks (3 servers, 1 NATS node)", async () => {
  await using cluster = await create();
  const region = await startRegion(cluster, 1);
  const { servers } = region;
  const storeDir = region.nats?.storeDir ?? "";
  const before = numbered("before", 10);
  await register(servers, before);
  await region.nats?.stop();
  await cp(storeDir, `${storeDir}-backup`, { recursive: true });
  await startNats(region);
  const after = numbered("after", 10);
  const index = await register(servers, after);

  await stopNats(region);
  await rm(storeDir, { recursive: true });
  await cp(`${storeDir}-backup`, storeDir, { recursive: true });
  await startNats(region);
  await expectJobs(servers, [...before, ...after], index);
  expect(await register(servers, ["later"])).toBeGreaterThan(index);
  await evaluated(region, "later");
}, 240_000);

test("the stream is empty while a server is down, the others serve nothing until it is back (3 servers, 1 NATS node)", async () => {
  await using cluster = await create();
  const region = await startRegion(cluster, 1);
  const [a, b, c] = region.servers as [Agent, Agent, Agent];
  const jobs = numbered("job", 10);
  const index = await register(region.servers, jobs);
  await c.kill();
  await stopNats(region);
  await rm(region.nats?.storeDir ?? "", { recursive: true });
  await startNats(region);

  const refused = await a.line((line) => /2 of 3 servers .*steppe operator log rebuild/.test(line.msg), SETTLED_MS);
  expect(refused.msg).toContain("not serving: the region's log is gone");
  for (const server of [a, b]) {
    expect((await call("GET", `${server.http}/v1/jobs`)).status).toBe(503);
    expect((await call("PUT", `${server.http}/v1/job/x`, { Job: mockTaskJob("x") })).status).toBe(503);
  }

  const back = await cluster.restartServer(region, c);
  await expectJobs([a, b, back], jobs, index);
}, 240_000);
