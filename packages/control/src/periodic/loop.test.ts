import { mockJob } from "@steppe/model/internal";
import type { Job } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { TestCluster } from "../testing/cluster.ts";
import { START_NS } from "../testing/step-clock.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

function periodic(fields: Partial<NonNullable<Job["Periodic"]>>): Job {
  const job = mockJob({ ID: "backup", Name: "backup" });
  const base = { Enabled: true, Spec: "*/10 * * * *", Specs: [], SpecType: "cron", ProhibitOverlap: false };
  return { ...job, Periodic: { ...base, TimeZone: "UTC", ...fields } };
}

/** A region that has been led for a second. */
async function led(servers = 1) {
  const cluster = new TestCluster();
  const all = Array.from({ length: servers }, (_, n) => cluster.server(`server-${n}`));
  await cluster.region.clock.advance(SECOND);
  const launches = () =>
    [...(cluster.client.view.jobs.get("default", "backup")?.children ?? [])]
      .map((key) => (Number(key.split("periodic-")[1]) - START_NS / 1e9) / 60)
      .sort((a, b) => a - b);
  return { cluster, servers: all, clock: cluster.region.clock, launches };
}

describe("periodic launches, in minutes since the start", () => {
  test("ticks come, each is launched once", async () => {
    const { cluster, clock, launches } = await led();
    await cluster.register(periodic({}));
    await clock.advance(35 * MINUTE);
    expect(launches()).toEqual([10, 20, 30]);
  });

  test("a launch, is a job with an evaluation of its own", async () => {
    const { cluster, clock } = await led();
    await cluster.nodes(2);
    cluster.worker("w");
    await cluster.register(periodic({}));
    await clock.advance(11 * MINUTE);
    const id = `backup/periodic-${START_NS / 1e9 + 600}`;
    expect(cluster.evaluationsOf(id)).toMatchObject([{ TriggeredBy: "periodic-job", Status: "complete" }]);
    expect(cluster.live(id)).toBe(10);
  });

  test.each([
    ["disabled", { Enabled: false }],
    ["of an expression that never comes", { Spec: "0 0 31 2 *" }],
  ])("a job that is %s, launches nothing", async (_, fields) => {
    const { cluster, clock, launches } = await led();
    await cluster.register(periodic(fields));
    await clock.advance(25 * MINUTE);
    expect(launches()).toEqual([]);
  });

  test("the expression changes, the next launch follows the new one", async () => {
    const { cluster, clock, launches } = await led();
    await cluster.register(periodic({}));
    await clock.advance(11 * MINUTE);
    await cluster.register(periodic({ Spec: "*/7 * * * *" }));
    await clock.advance(10 * MINUTE);
    expect(launches()).toEqual([10, 14, 21]);
  });

  test("the job stops, launches no more", async () => {
    const { cluster, clock, launches } = await led();
    await cluster.register(periodic({}));
    await clock.advance(11 * MINUTE);
    const stop = { Namespace: "default", JobID: "backup", Purge: false, EvalPriority: 0, NoShutdownDelay: false };
    await cluster.write({ $case: "DeregisterJob", value: stop });
    await clock.advance(20 * MINUTE);
    expect(launches()).toEqual([10]);
  });

  test("overlap is prohibited, a tick is left out while a child runs", async () => {
    const { cluster, clock, launches } = await led();
    await cluster.nodes(2);
    cluster.worker("w");
    await cluster.register(periodic({ ProhibitOverlap: true }));
    await clock.advance(35 * MINUTE);
    expect(launches()).toEqual([10]);
  });

  test("nobody led over several ticks, the latest is launched once (2 servers)", async () => {
    const { cluster, servers, clock, launches } = await led();
    await cluster.register(periodic({}));
    await clock.advance(11 * MINUTE);
    await servers[0]?.leadership.stop();
    await clock.advance(35 * MINUTE);
    cluster.server("next");
    await clock.advance(SECOND);
    expect(launches()).toEqual([10, 40]);
    await clock.advance(5 * MINUTE);
    expect(launches()).toEqual([10, 40, 50]);
  });

  test("leaders change all the time, no tick is missed or doubled (3 servers)", async () => {
    const { cluster, servers, clock, launches } = await led(3);
    await cluster.register(periodic({ Spec: "* * * * *" }));
    for (let n = 0; n < 10; n++) {
      const leader = servers.find(({ leadership }) => leadership.term !== undefined);
      if (leader !== undefined) leader.member.cut = true;
      await clock.advance(MINUTE);
      if (leader !== undefined) leader.member.cut = false;
      leader?.member.catchUp();
    }
    expect(launches()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test("the launch cannot be written for a while, is made when it can", async () => {
    const { cluster, servers, clock, launches } = await led();
    await cluster.register(periodic({}));
    const [server] = servers;
    await clock.advance(10 * MINUTE - 1.5 * SECOND);
    if (server !== undefined) server.member.cut = true;
    await clock.advance(2 * SECOND);
    expect(launches()).toEqual([]);
    if (server !== undefined) server.member.cut = false;
    await clock.advance(20 * SECOND);
    expect(launches()).toEqual([10]);
  });
});
