// A server that is cut from NATS while its HTTP and gRPC ports still answer: the fault that looks like health.
import { expect, test } from "vitest";
import { call, eventually, type Json, watchUntil } from "../kit/api.ts";
import { Cluster } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";
import { TcpProxy } from "../kit/tcp-proxy.ts";

/** Without moving, a node agent would be missed after 3 s of the lease and these 5 s. */
const FAST_HEARTBEATS = [
  '  min_heartbeat_ttl = "4s"',
  '  heartbeat_grace = "3s"',
  '  failover_heartbeat_ttl = "5s"',
].join("\n");
const CUT_MS = 12_000;

test("server cut from NATS, its node agent and requests from another region go to its neighbour (2 regions)", async () => {
  let proxy: TcpProxy | undefined;
  await using cluster = await Cluster.create({
    embedded: false,
    serverOptions: FAST_HEARTBEATS,
    natsUrls: (name) => (name === "us-server-1" && proxy !== undefined ? [`nats://${proxy.address}`] : undefined),
  });
  const us = await cluster.addRegion({ name: "us", servers: 0, workers: 0, clients: 0 });
  await using link = await TcpProxy.to(new URL(us.nats?.url ?? "").host);
  proxy = link;
  const first = await cluster.addServer(us);
  await cluster.addWorker(us);
  // It knows no other server yet, so it is with the first.
  await cluster.addClient(us);
  const second = await cluster.addServer(us);
  const eu = await cluster.addRegion({ name: "eu", servers: 1, workers: 0, clients: 0 });
  await eventually("eu knows us", 20_000, async () => {
    const { status, text } = await call("GET", `${eu.servers[0]?.http}/v1/jobs?region=us`);
    if (status !== 200) throw new Error(text);
  });
  await call("PUT", `${second.http}/v1/job/steady`, { Job: mockTaskJob("steady") });
  const running = (list: Json[]) => list.length === 1 && list[0].ClientStatus === "running";
  await watchUntil<Json[]>(`${second.http}/v1/job/steady/allocations`, running, 20_000);

  link.silence();
  const cutAt = performance.now();
  const forwarded: { at: number; tookMs: number; status: number }[] = [];
  for (let n = 0; performance.now() - cutAt < CUT_MS; n++) {
    const at = performance.now() - cutAt;
    const url = `${eu.servers[0]?.http}/v1/job/job-${n}?region=us`;
    const { status } = await call("PUT", url, { Job: mockTaskJob(`job-${n}`) });
    forwarded.push({ at, tookMs: performance.now() - cutAt - at, status });
  }

  const failed = forwarded.filter(({ status }) => status !== 200);
  const slowest = Math.max(...forwarded.map(({ tookMs }) => tookMs));
  const text = JSON.stringify({ slowest, count: forwarded.length, failed });
  process.stdout.write(
    `   ${forwarded.length} forwarded writes, ${failed.length} failed, slowest ${slowest.toFixed(0)} ms\n`,
  );
  // At most the one that was under way when the cut came.
  expect(failed.length, text).toBeLessThanOrEqual(1);
  expect(
    failed.filter(({ at }) => at > 5_000),
    text,
  ).toEqual([]);
  expect(slowest, text).toBeLessThan(6_000);
  const nodes = await call<Json[]>("GET", `${second.http}/v1/nodes`);
  expect(nodes.body.map((node) => node.Status)).toEqual(["ready"]);
  const { body } = await call<Json[]>("GET", `${second.http}/v1/job/steady/allocations`);
  expect(body.map((it) => it.ClientStatus)).toEqual(["running"]);

  const asked = performance.now();
  const refused = await call("GET", `${first.http}/v1/jobs`);
  expect([refused.status, refused.text]).toEqual([503, "No cluster leader"]);
  expect(performance.now() - asked).toBeLessThan(1_000);
  expect((await call("GET", `${first.http}/v1/jobs?stale`)).status).toBe(200);

  link.heal();
  await eventually("the first takes requests again", 20_000, async () => {
    const { status, text } = await call("GET", `${first.http}/v1/job/job-${forwarded.length - 1}?consistent`);
    if (status !== 200) throw new Error(text);
  });
}, 120_000);
