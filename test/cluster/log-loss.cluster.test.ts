// Proves that what was acknowledged outlives the loss of the region's log: NATS nodes that lose their
// disks, a stream that is made anew empty, one that comes back from an old backup. Catches: serving
// from a log that lacks what was applied, a rebuild from a server that is behind, an index that goes back.
import { cp, rm } from "node:fs/promises";
import { expect, test } from "vitest";
import {
  create,
  evaluated,
  expectJobs,
  numbered,
  register,
  SETTLED_MS,
  startNats,
  startRegion,
  stopNats,
} from "../kit/acknowledged.ts";
import { call } from "../kit/api.ts";
import type { Agent } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";

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
