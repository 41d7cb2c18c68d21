// Drains, cut-off nodes and planned jobs, with real agents.
import { expect, test } from "vitest";
import { call, type Json, watchUntil } from "../kit/api.ts";
import { Cluster } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";

const FAST_HEARTBEATS = [
  '  min_heartbeat_ttl = "1s"',
  '  heartbeat_grace = "500ms"',
  '  failover_heartbeat_ttl = "5s"',
].join("\n");
/** Healthy after a moment, so that a drain goes on. */
const QUICK = { Update: { MinHealthyTime: 100e6 }, Migrate: { MinHealthyTime: 100e6 } };

const runningOn = (list: Json[], node: string) =>
  list.filter((it) => it.NodeID === node && it.DesiredStatus === "run" && it.ClientStatus === "running").length;

async function twoNodes(cluster: Cluster) {
  const region = await cluster.addRegion({ name: "us", servers: 1, workers: 1, clients: 1 });
  const http = region.servers[0]?.http ?? "";
  const nodes = await watchUntil<Json[]>(`${http}/v1/nodes`, (list) => list.length === 1, 20_000);
  return { region, http, first: nodes.body[0].ID as string };
}

async function secondNode(cluster: Cluster, region: Parameters<Cluster["addClient"]>[0], http: string) {
  await cluster.addClient(region);
  await watchUntil<Json[]>(`${http}/v1/nodes`, (list) => list.length === 2, 20_000);
}

test("drain without deadline, the service moves one by one and the drain completes (1 region, 2 nodes)", async () => {
  await using cluster = await Cluster.create({ embedded: true });
  const { region, http, first } = await twoNodes(cluster);
  const url = `${http}/v1/job/mover`;
  const spec = mockTaskJob("mover", { count: 3, group: QUICK });
  const dry = await call("PUT", `${url}/plan`, { Job: spec, Diff: true });
  expect(dry.body).toMatchObject({
    Annotations: { DesiredTGUpdates: { group: { Place: 3 } } },
    ...{ JobModifyIndex: 0, FailedTGAllocs: null, Diff: { Type: "Added", TaskGroups: [{ Updates: { create: 3 } }] } },
  });
  expect((await call("GET", url)).status).toBe(404);
  await call("PUT", url, { Job: spec });
  await watchUntil<Json[]>(`${url}/allocations`, (list) => runningOn(list, first) === 3, 20_000);
  await secondNode(cluster, region, http);

  const drained = await call("PUT", `${http}/v1/node/${first}/drain`, {
    DrainSpec: { Deadline: 0 },
    Meta: { why: "x" },
  });
  expect(drained.body).toMatchObject({ EvalIDs: null, NodeModifyIndex: drained.index });
  const moved = (list: Json[]) =>
    runningOn(list, first) === 0 && list.filter((it) => it.DesiredStatus === "run").length === 3;
  await watchUntil<Json[]>(`${url}/allocations`, moved, 40_000);
  const node = await watchUntil<Json>(`${http}/v1/node/${first}`, (it) => it.Drain === false, 20_000);
  expect(node.body).toMatchObject({
    ...{ SchedulingEligibility: "ineligible", DrainStrategy: null },
    LastDrain: { Status: "complete", Meta: { why: "x" } },
  });
  const eligible = await call("PUT", `${http}/v1/node/${first}/eligibility`, { Eligibility: "eligible" });
  expect(eligible.status).toBe(200);
  expect((await call("PUT", `${http}/v1/node/${first}/evaluate`)).body.EvalIDs).toBeNull();
}, 120_000);

test("drain with a deadline, a batch task runs on until then and is moved (1 region, 2 nodes)", async () => {
  await using cluster = await Cluster.create({ embedded: true });
  const { region, http, first } = await twoNodes(cluster);
  const url = `${http}/v1/job/worker`;
  await call("PUT", url, { Job: mockTaskJob("worker", { type: "batch" }) });
  await watchUntil<Json[]>(`${url}/allocations`, (list) => runningOn(list, first) === 1, 20_000);
  await secondNode(cluster, region, http);
  const began = performance.now();
  await call("PUT", `${http}/v1/node/${first}/drain`, { DrainSpec: { Deadline: 6e9 } });
  const moved = (list: Json[]) => list.some((it) => it.NodeID !== first && it.ClientStatus === "running");
  await watchUntil<Json[]>(`${url}/allocations`, moved, 40_000);
  expect(performance.now() - began).toBeGreaterThan(5_000);
  await watchUntil<Json>(`${http}/v1/node/${first}`, (it) => it.LastDrain?.Status === "complete", 20_000);
}, 120_000);

test("a node agent is frozen and comes back, its allocation was unknown and is kept (1 region, 2 nodes)", async () => {
  await using cluster = await Cluster.create({ embedded: true, serverOptions: FAST_HEARTBEATS });
  const { region, http, first } = await twoNodes(cluster);
  const url = `${http}/v1/job/survivor`;
  const Disconnect = { LostAfter: 3_600e9, Replace: true, Reconcile: "keep_original" };
  await call("PUT", url, { Job: mockTaskJob("survivor", { group: { Disconnect } }) });
  await watchUntil<Json[]>(`${url}/allocations`, (list) => runningOn(list, first) === 1, 20_000);
  await secondNode(cluster, region, http);
  const agent = region.clients[0];
  agent?.signal("SIGSTOP");
  const replaced = (list: Json[]) =>
    list.some((it) => it.ClientStatus === "unknown") && list.some((it) => it.ClientStatus === "running");
  await watchUntil<Json[]>(`${url}/allocations`, replaced, 40_000);
  expect((await call("GET", `${http}/v1/node/${first}`)).body.Status).toBe("disconnected");
  agent?.signal("SIGCONT");
  const kept = (list: Json[]) =>
    runningOn(list, first) === 1 && list.filter((it) => it.DesiredStatus === "run").length === 1;
  await watchUntil<Json[]>(`${url}/allocations`, kept, 40_000);
  const { body } = await call<Json[]>("GET", `${url}/evaluations`);
  expect(body.map((it) => it.TriggeredBy)).toContain("reconnect");
}, 120_000);
