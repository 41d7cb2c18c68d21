import { mockNode } from "@steppe/model/internal";
import { describe, expect, test } from "vitest";
import { TestCluster } from "../testing/cluster.ts";
import { settle } from "../testing/step-clock.ts";

/** What must hold whatever races there were: no node is over-committed, no name is placed twice. */
function expectSound(cluster: TestCluster): void {
  const { nodes, jobs } = cluster.client.view;
  for (let slot = 0; slot < nodes.length; slot++) {
    expect(nodes.usedCpu[slot] as number).toBeLessThanOrEqual(nodes.cpu[slot] as number);
  }
  for (const job of jobs.byKey.values()) {
    const live = [...job.allocations].filter(({ terminal }) => !terminal);
    const names = new Set(live.map(({ TaskGroup, NameIndex }) => `${TaskGroup}[${NameIndex}]`));
    expect(names.size).toBe(live.length);
  }
}

async function led(servers = 1) {
  const cluster = new TestCluster();
  const all = Array.from({ length: servers }, (_, n) => cluster.server(`server-${n}`));
  await cluster.region.clock.advance(400);
  return { cluster, servers: all, clock: cluster.region.clock };
}

describe("worker", () => {
  test("a job is registered, places it at once (1 server, 1 worker)", async () => {
    const { cluster } = await led();
    await cluster.nodes(2);
    cluster.worker("w");
    await settle();
    const id = await cluster.job("web", 3);
    await settle();
    expect(cluster.evaluation(id).Status).toBe("complete");
    expect(cluster.live("web")).toBe(3);
  });

  test("no leader yet, asks again and is served when there is one", async () => {
    const cluster = new TestCluster();
    await cluster.nodes(1);
    cluster.worker("w");
    await cluster.job("web", 2);
    await cluster.region.clock.advance(10_000);
    cluster.server("late");
    await cluster.region.clock.advance(100);
    expect(cluster.live("web")).toBe(2);
  });

  test("its replica lags, schedules only when it has caught up", async () => {
    const { cluster, clock } = await led();
    await cluster.nodes(1);
    const { member } = cluster.worker("w");
    await settle();
    member.lagging = true;
    const id = await cluster.job("web", 1);
    await clock.advance(3_000);
    expect(cluster.evaluation(id).Status).toBe("pending");
    member.lagging = false;
    member.catchUp();
    await settle();
    expect(cluster.evaluation(id).Status).toBe("complete");
  });

  test("its replica does not catch up, gives the evaluation back for another (2 workers)", async () => {
    const { cluster, clock } = await led();
    await cluster.nodes(1);
    const { member } = cluster.worker("lagging");
    await settle();
    member.lagging = true;
    const id = await cluster.job("web", 1);
    await settle();
    cluster.worker("fresh");
    await clock.advance(4_000);
    expect(cluster.evaluation(id).Status).toBe("pending");
    await clock.advance(2_200);
    expect(cluster.evaluation(id).Status).toBe("complete");
  });

  test("the scheduler throws, the evaluation is delivered again (1 worker)", async () => {
    const { cluster, clock } = await led();
    await cluster.nodes(1);
    let calls = 0;
    const schedule = () => {
      calls += 1;
      if (calls === 1) throw new Error("bad luck");
      return undefined;
    };
    const { worker } = cluster.worker("w", { schedule });
    const id = await cluster.job("web", 1);
    await clock.advance(1_100);
    expect(cluster.evaluation(id).Status).toBe("complete");
    expect(worker.stats()).toEqual({ inHand: 0, processed: 1, failed: 1 });
  });

  test("it is killed in mid-evaluation, another is given it (2 workers)", async () => {
    const { cluster, clock } = await led();
    await cluster.nodes(1);
    const dying = cluster.worker("dying", {
      schedule: (_evaluation, _place, member) => {
        member.cut = true;
        return undefined;
      },
    });
    await settle();
    const id = await cluster.job("web", 1);
    await settle();
    expect(dying.member.cut).toBe(true);
    cluster.worker("other");
    await clock.advance(4_500);
    expect(cluster.evaluation(id).Status).toBe("pending");
    await clock.advance(2_000);
    expect(cluster.evaluation(id).Status).toBe("complete");
    expectSound(cluster);
  });

  test("it stops while it waits for work, the next evaluation goes to another at once (2 workers)", async () => {
    const { cluster } = await led();
    await cluster.nodes(1);
    const leaving = cluster.worker("leaving");
    await settle();
    cluster.worker("staying");
    await settle();
    await leaving.worker.stop();
    const id = await cluster.job("web", 1);
    await settle();
    expect(cluster.evaluation(id).Status).toBe("complete");
  });

  test("it stops and no broker answers, does not wait for one", async () => {
    const { cluster, clock } = await led();
    const { worker, member } = cluster.worker("w");
    await settle();
    member.cut = true;
    const stopped = worker.stop();
    await clock.advance(600);
    await stopped;
    expect(worker.stats()).toMatchObject({ inHand: 0 });
  });

  test("it is killed while it waits for work, what it is given goes to another within three seconds (2 workers)", async () => {
    const { cluster, clock } = await led();
    await cluster.nodes(1);
    const dying = cluster.worker("dying", { pipeline: 1 });
    await settle();
    cluster.worker("other", { pipeline: 1 });
    await settle();
    dying.member.cut = true;
    const id = await cluster.job("web", 1);
    await clock.advance(1_000);
    expect(cluster.evaluation(id).Status).toBe("pending");
    await clock.advance(2_000);
    expect(cluster.evaluation(id).Status).toBe("complete");
  });

  test("it stops, finishes what is in hand", async () => {
    const { cluster } = await led();
    await cluster.nodes(1);
    const { worker } = cluster.worker("w");
    await settle();
    const id = await cluster.job("web", 1);
    await worker.stop();
    await settle();
    expect(cluster.evaluation(id).Status).not.toBe("pending");
  });

  test("several race for the same nodes, nothing is over-committed or doubled (4 workers)", async () => {
    const { cluster, clock } = await led();
    await cluster.nodes(10);
    for (let n = 0; n < 4; n++) cluster.worker(`w${n}`, { from: n % 2 });
    await settle();
    await Promise.all(Array.from({ length: 20 }, (_, n) => cluster.job(`job-${n}`, 3)));
    // First fit makes them collide so badly that some give up and try again seconds later.
    await clock.advance(190_000);
    for (let n = 0; n < 20; n++) expect(cluster.live(`job-${n}`)).toBe(3);
    expectSound(cluster);
  });

  test("large jobs for the same nodes at once, none is planned twice (1 worker)", async () => {
    const { cluster } = await led();
    await cluster.nodes(60);
    let calls = 0;
    cluster.worker("w", {
      schedule: (_evaluation, place) => {
        calls += 1;
        return place();
      },
    });
    await settle();
    await Promise.all(Array.from({ length: 4 }, (_, n) => cluster.job(`job-${n}`, 100)));
    await settle();
    await settle();
    expect(calls).toBe(4);
    for (let n = 0; n < 4; n++) expect(cluster.live(`job-${n}`)).toBe(100);
  });

  test("a node is taken by an earlier plan, places the rest and looks again for that one (1 worker)", async () => {
    const { cluster } = await led();
    await cluster.nodes(2);
    let calls = 0;
    cluster.worker("w", {
      schedule: (_evaluation, place, member) => {
        const plan = place();
        calls += 1;
        // Somebody takes node 0 out while the first plan is on its way.
        if (calls === 1) {
          const [node] = member.view.nodes.nodes;
          const command = { NodeID: node?.ID ?? "", Eligibility: "ineligible" };
          void cluster.write({ $case: "UpdateNodeEligibility", value: command });
        }
        return plan;
      },
    });
    await settle();
    await cluster.job("web", 3);
    await settle();
    expect([cluster.live("web"), calls]).toEqual([3, 2]);
  });

  test("every plan is refused, gives up and leaves a blocked evaluation that is tried again (1 worker)", async () => {
    const { cluster, clock } = await led();
    await cluster.nodes(1);
    let refusing = true;
    let calls = 0;
    cluster.worker("w", {
      schedule: (_evaluation, place) => {
        const plan = place();
        calls += 1;
        if (refusing)
          for (const placements of plan.Placements) placements.NodeIDs = placements.NodeIDs.map(() => "gone");
        return plan;
      },
    });
    const id = await cluster.job("web", 1);
    await settle();
    expect(cluster.evaluation(id)).toMatchObject({
      Status: "failed",
      StatusDescription: "maximum attempts reached (5)",
    });
    expect(calls).toBe(5);
    expect(cluster.evaluation(cluster.evaluation(id).BlockedEval)).toMatchObject({
      Status: "blocked",
      TriggeredBy: "max-plan-attempts",
    });
    refusing = false;
    await clock.advance(6_000);
    expect(cluster.live("web")).toBe(1);
  });

  test("the job changes while its plan is made, the plan is made anew (1 worker)", async () => {
    const { cluster } = await led();
    await cluster.nodes(1);
    let calls = 0;
    cluster.worker("w", {
      schedule: () => {
        calls += 1;
        if (calls === 1) void cluster.job("web", 4);
        return undefined;
      },
    });
    await settle();
    await cluster.job("web", 2);
    await settle();
    expect(cluster.live("web")).toBe(4);
    expect(cluster.evaluationsOf("web").map(({ Status }) => Status)).toEqual(["complete", "complete"]);
  });
});

describe("worker, leader change", () => {
  test("the leader dies in mid-evaluation, its work is taken up under the next (2 servers, 1 worker)", async () => {
    const { cluster, servers, clock } = await led(2);
    await cluster.nodes(1);
    let calls = 0;
    const leader = servers.find(({ leadership }) => leadership.term !== undefined) ?? servers[0];
    cluster.worker("w", {
      schedule: () => {
        calls += 1;
        if (calls > 1) return undefined;
        if (leader !== undefined) leader.member.cut = true;
        throw new Error("the plan is lost");
      },
    });
    await settle();
    const id = await cluster.job("web", 2);
    await clock.advance(5_000);
    expect(cluster.client.view.lease?.Term).toBe(2);
    expect(cluster.evaluation(id).Status).toBe("complete");
    expect(cluster.live("web")).toBe(2);
  });

  test("an evaluation is out under two leaders, takes effect once (2 servers, 2 workers)", async () => {
    const { cluster, servers, clock } = await led(2);
    await cluster.nodes(1);
    const slow = cluster.worker("slow");
    await settle();
    slow.member.lagging = true;
    const id = await cluster.job("web", 3);
    await settle();
    await Promise.all(servers.map(({ leadership }) => (leadership.term === undefined ? undefined : leadership.stop())));
    cluster.worker("fast");
    await clock.advance(500);
    expect(cluster.evaluation(id).Status).toBe("complete");
    slow.member.lagging = false;
    slow.member.catchUp();
    await clock.advance(1_000);
    expect(cluster.live("web")).toBe(3);
    expectSound(cluster);
  });
});

describe("worker, blocked and delayed evaluations", () => {
  test("no room, is blocked until a node comes (1 worker)", async () => {
    const { cluster } = await led();
    await cluster.nodes(1);
    cluster.worker("w");
    await settle();
    const id = await cluster.job("web", 10);
    await settle();
    const blockedId = cluster.evaluation(id).BlockedEval;
    expect(cluster.live("web")).toBe(7);
    expect(cluster.evaluation(blockedId).Status).toBe("blocked");
    await cluster.nodes(1, 1);
    await settle();
    expect(cluster.evaluation(blockedId).Status).toBe("complete");
    expect(cluster.live("web")).toBe(10);
  });

  test("still no room, is blocked again under the same id (1 server, 1 worker)", async () => {
    const { cluster, servers } = await led();
    await cluster.nodes(1);
    cluster.worker("w");
    await settle();
    const id = await cluster.job("web", 30);
    await settle();
    const blockedId = cluster.evaluation(id).BlockedEval;
    await cluster.nodes(1, 1);
    await settle();
    expect(cluster.evaluation(blockedId).Status).toBe("blocked");
    expect(cluster.live("web")).toBe(14);
    expect(servers[0]?.duties.brokerStats()).toMatchObject({ blocked: 1, ready: 0, unacked: 0 });
  });

  test("a job stops, another that waited takes its room (1 worker)", async () => {
    const { cluster } = await led();
    await cluster.nodes(1);
    cluster.worker("w");
    await settle();
    await cluster.job("first", 7);
    await settle();
    await cluster.job("second", 5);
    await settle();
    expect([cluster.live("first"), cluster.live("second")]).toEqual([7, 0]);
    await cluster.write({
      $case: "DeregisterJob",
      value: { Namespace: "default", JobID: "first", Purge: false, EvalPriority: 0, NoShutdownDelay: false },
    });
    await settle();
    expect([cluster.live("first"), cluster.live("second")]).toEqual([0, 5]);
  });

  test("room came while nobody led, the next leader does not miss it (2 servers, 1 worker)", async () => {
    const { cluster, servers, clock } = await led(2);
    await cluster.nodes(1);
    cluster.worker("w");
    await settle();
    await cluster.job("web", 10);
    await settle();
    for (const { leadership, member } of servers) if (leadership.term !== undefined) member.cut = true;
    await clock.advance(1_000);
    await cluster.nodes(1, 1);
    expect(cluster.live("web")).toBe(7);
    await clock.advance(5_000);
    expect(cluster.live("web")).toBe(10);
  });

  test("a later evaluation places everything, the blocked one is canceled (1 worker)", async () => {
    const { cluster } = await led();
    await cluster.nodes(1);
    cluster.worker("w");
    await settle();
    const id = await cluster.job("web", 10);
    await settle();
    const blockedId = cluster.evaluation(id).BlockedEval;
    const later = await cluster.job("web", 7);
    await settle();
    expect(cluster.evaluation(blockedId)).toMatchObject({
      Status: "canceled",
      StatusDescription: `evaluation "${later}" successful`,
    });
  });

  test("a later evaluation is blocked too, one blocked evaluation is left (1 worker)", async () => {
    const { cluster } = await led();
    await cluster.nodes(1);
    cluster.worker("w");
    await settle();
    const id = await cluster.job("web", 10);
    await settle();
    await cluster.job("web", 12);
    await settle();
    expect(cluster.evaluation(cluster.evaluation(id).BlockedEval)).toMatchObject({
      Status: "canceled",
      StatusDescription: 'existing blocked evaluation exists for job "web"',
    });
    expect(cluster.evaluationsOf("web").filter(({ Status }) => Status === "blocked")).toHaveLength(1);
  });

  test("an evaluation for later, is processed when its time comes (1 worker)", async () => {
    const { cluster, clock } = await led();
    cluster.worker("w");
    await cluster.nodes(1);
    await settle();
    const id = await cluster.job("web", 0);
    await settle();
    const later = { ...cluster.evaluation(id), ID: "later", Status: "pending", WaitUntil: clock.wallNs() + 30e9 };
    await cluster.write({ $case: "UpsertEvaluations", value: { Term: 1, Evaluations: [later] } });
    await clock.advance(29_900);
    expect(cluster.evaluation("later").Status).toBe("pending");
    await clock.advance(200);
    expect(cluster.evaluation("later").Status).toBe("complete");
  });
});

test("worker: replicas, hold the same state after all of it (2 servers, 3 workers)", async () => {
  const { cluster, clock } = await led(2);
  await cluster.nodes(4);
  for (let n = 0; n < 3; n++) cluster.worker(`w${n}`, { from: n });
  for (let n = 0; n < 10; n++) await cluster.job(`job-${n}`, 1 + n);
  await cluster.write({ $case: "RegisterNode", value: { Node: mockNode({}, 9) } });
  await clock.advance(5_000);
  const digests = new Set(cluster.region.members.map(({ state }) => state.digest.value));
  expect(digests.size).toBe(1);
});
