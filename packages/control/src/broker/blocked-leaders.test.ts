// Blocked evaluations across leaders: what waits for room is found again by whoever leads next.
import { mockJob } from "@steppe/model/internal";
import { schedule } from "@steppe/scheduler";
import { expect, test } from "vitest";
import { TestCluster } from "../testing/cluster.ts";

async function region(servers: number) {
  const cluster = new TestCluster();
  const all = Array.from({ length: servers }, (_, n) => cluster.server(`server-${n}`));
  cluster.worker("w", {
    schedule: (evaluation, _place, { view, clock, random }) =>
      schedule(view, evaluation, { now: clock.wallNs(), random }),
  });
  await cluster.region.clock.advance(1_000);
  const blocked = () =>
    [...cluster.client.view.evaluations.byId.values()].filter(({ Status }) => Status === "blocked").length;
  const stop = () =>
    cluster.write({
      $case: "DeregisterJob",
      value: { Namespace: "default", JobID: "web", Purge: false, EvalPriority: 0, NoShutdownDelay: false },
    });
  return { cluster, servers: all, clock: cluster.region.clock, blocked, stop };
}

test("room appears while nobody leads, the next leader finds what waits for it (2 servers)", async () => {
  const { cluster, servers, clock, blocked } = await region(2);
  await cluster.nodes(1);
  await cluster.job("web", 10);
  await clock.advance(2_000);
  expect([cluster.live("web"), blocked()]).toEqual([7, 1]);
  const leads = servers.find(({ leadership }) => leadership.term !== undefined && leadership.term > 0);
  const stopped = leads?.leadership.stop();
  await cluster.nodes(1, 1);
  await stopped;
  await clock.advance(60_000);
  expect([cluster.live("web"), blocked()]).toEqual([10, 0]);
});

test("registered again and again without room, waits in one evaluation, under any leader (2 servers)", async () => {
  const { cluster, servers, clock, blocked } = await region(2);
  for (let count = 1; count <= 4; count++) {
    await cluster.job("web", count);
    await clock.advance(2_000);
    if (count === 2) await servers[0]?.leadership.stop();
    await clock.advance(60_000);
    expect(blocked()).toBe(1);
  }
  await cluster.nodes(1);
  await clock.advance(2_000);
  expect([cluster.live("web"), blocked()]).toEqual([4, 0]);
});

test("stopped while it waits, is dead and waits no more", async () => {
  const { cluster, clock, blocked, stop } = await region(1);
  await cluster.register(mockJob({ ID: "web" }));
  await clock.advance(2_000);
  expect(blocked()).toBe(1);
  await stop();
  await clock.advance(2_000);
  expect(blocked()).toBe(0);
  expect(cluster.client.view.jobs.get("default", "web")?.job.Status).toBe("dead");
});
