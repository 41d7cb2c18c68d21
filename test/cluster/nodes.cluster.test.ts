// biome-ignore-all lint/suspicious/noTemplateCurlyInString: targets of constraints
// What happens to allocations when the node under them goes away, with real agents.
import { expect, test } from "vitest";
import { call, type Json, watchUntil } from "../kit/api.ts";
import { Cluster } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";

const FAST_HEARTBEATS = [
  '  min_heartbeat_ttl = "1s"',
  '  heartbeat_grace = "500ms"',
  '  failover_heartbeat_ttl = "5s"',
].join("\n");

test("kill -9 of a node agent, its allocations are lost and replaced on another node (1 region, 2 nodes)", async () => {
  await using cluster = await Cluster.create({ embedded: false, serverOptions: FAST_HEARTBEATS });
  const region = await cluster.addRegion({ name: "us", servers: 1, workers: 1, clients: 2 });
  const http = region.servers[0]?.http;
  const url = `${http}/v1/job/survivor`;
  await call("PUT", url, {
    Job: mockTaskJob("survivor", {
      count: 4,
      job: { Constraints: [{ Operand: "distinct_property", LTarget: "${node.unique.id}", RTarget: "4" }] },
    }),
  });
  const running = (count: number) => (list: Json[]) =>
    list.filter((it) => it.DesiredStatus === "run" && it.ClientStatus === "running").length === count;
  const { body: before } = await watchUntil<Json[]>(`${url}/allocations`, running(4), 20_000);
  const victimNode = before[0].NodeID;
  const nodes = (await call<Json[]>("GET", `${http}/v1/nodes`)).body;
  const victim = region.clients.find((client) => nodes.find((node) => node.ID === victimNode)?.Name === client.name);
  expect(victim).toBeDefined();
  await victim?.kill();
  const recovered = (list: Json[]) =>
    running(4)(list) && list.filter((it) => it.NodeID === victimNode).every((it) => it.ClientStatus === "lost");
  const { body: after } = await watchUntil<Json[]>(`${url}/allocations`, recovered, 40_000);
  expect(after.some((it) => it.ClientStatus === "lost")).toBe(true);
  const node = await call("GET", `${http}/v1/node/${victimNode}`);
  expect(node.body.Status).toBe("down");
}, 120_000);

test("a server dies, its node agents go to another one and are not missed (1 region, 2 servers)", async () => {
  await using cluster = await Cluster.create({ embedded: false, serverOptions: FAST_HEARTBEATS });
  const region = await cluster.addRegion({ name: "us", servers: 2, workers: 1, clients: 1 });
  const [first, second] = region.servers;
  await call("PUT", `${second?.http}/v1/job/steady`, { Job: mockTaskJob("steady") });
  const running = (list: Json[]) => list.length === 1 && list[0].ClientStatus === "running";
  await watchUntil<Json[]>(`${second?.http}/v1/job/steady/allocations`, running, 20_000);
  await first?.kill();
  await call("PUT", `${second?.http}/v1/job/later`, { Job: mockTaskJob("later") });
  await watchUntil<Json[]>(`${second?.http}/v1/job/later/allocations`, running, 40_000);
  const { body } = await call<Json[]>("GET", `${second?.http}/v1/job/steady/allocations`);
  expect(body).toHaveLength(1);
  expect((await call<Json[]>("GET", `${second?.http}/v1/nodes`)).body.map((node) => node.Status)).toEqual(["ready"]);
}, 120_000);
