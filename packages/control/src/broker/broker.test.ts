import {
  BrokerAckRequest,
  BrokerAckResponse,
  BrokerDequeueRequest,
  BrokerDequeueResponse,
  BrokerLeave,
  BrokerTouch,
  SchedulerConfiguration,
} from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { SUBJECTS } from "../bus.ts";
import { TestCluster } from "../testing/cluster.ts";
import { settle } from "../testing/step-clock.ts";

/** A worker that does as the test says. */
class HandWorker {
  readonly cluster: TestCluster;
  constructor(cluster: TestCluster) {
    this.cluster = cluster;
  }
  async dequeue(WaitMs = 0, WorkerID = "hand", Max = 1): Promise<BrokerDequeueResponse> {
    const Types = ["service", "batch"];
    const request = BrokerDequeueRequest.encode({ WorkerID, Types, WaitMs, Confirms: false, Max }).finish();
    const answered = this.cluster.client.bus.request(SUBJECTS.dequeue, request, 60_000);
    if (WaitMs === 0) await this.cluster.region.clock.advance(2);
    return BrokerDequeueResponse.decode(await answered);
  }
  async answer({ Evaluation, Token }: BrokerDequeueResponse, Done: boolean): Promise<boolean> {
    const request = BrokerAckRequest.encode({ EvalID: Evaluation?.ID ?? "", Token, Done }).finish();
    return BrokerAckResponse.decode(await this.cluster.client.bus.request(SUBJECTS.ack, request, 60_000)).Accepted;
  }
  touch(WorkerID = "hand"): void {
    this.cluster.client.bus.publish(SUBJECTS.touch, BrokerTouch.encode({ WorkerID }).finish());
  }
}

async function led() {
  const cluster = new TestCluster();
  const server = cluster.server("a");
  await cluster.region.clock.advance(100);
  return { cluster, server, hand: new HandWorker(cluster), clock: cluster.region.clock };
}

/** Operators stop or resume the handing out. */
function pause(cluster: TestCluster, PauseEvalBroker: boolean) {
  const Config = { ...SchedulerConfiguration.create(), PauseEvalBroker };
  return cluster.write({ $case: "SetSchedulerConfiguration", value: { Config, CheckIndex: false, ModifyIndex: 0 } });
}

describe("broker", () => {
  test("nothing to do, holds the request and answers empty", async () => {
    const { hand, clock } = await led();
    const answered = hand.dequeue(400);
    await clock.advance(450);
    expect((await answered).Evaluation).toBeUndefined();
  });

  test("an evaluation comes up, a held request is answered at once", async () => {
    const { cluster, hand } = await led();
    const answered = hand.dequeue(5_000);
    await settle();
    const id = await cluster.job("web", 1);
    expect(await answered).toMatchObject({ Evaluation: { ID: id }, Term: 1 });
  });

  test("several at once are asked for, gives all that is ready, each under a token of its own", async () => {
    const { cluster, hand } = await led();
    const ids = [await cluster.job("a", 1), await cluster.job("b", 1), await cluster.job("c", 1)];
    const { Evaluation, Token, More } = await hand.dequeue(0, "hand", 16);
    expect([Evaluation?.ID, ...More.map(({ EvalID }) => EvalID)]).toEqual(ids);
    expect(More[1]).toMatchObject({ Namespace: "default", JobID: "c" });
    expect(new Set([Token, ...More.map((it) => it.Token)]).size).toBe(3);
  });

  test("two workers wait, nobody gets a second evaluation before the other has one", async () => {
    const { cluster, hand } = await led();
    const answers = [hand.dequeue(5_000, "one", 16), hand.dequeue(5_000, "other", 16)];
    await settle();
    await pause(cluster, true);
    for (const id of ["a", "b", "c"]) await cluster.job(id, 1);
    await pause(cluster, false);
    const given = (await Promise.all(answers)).map(({ Evaluation, More }) => (Evaluation ? 1 + More.length : 0));
    expect(given).toEqual([2, 1]);
  });

  test("a large job fills a batch", async () => {
    const { cluster, hand } = await led();
    for (const [id, count] of [
      ["a", 60],
      ["b", 60],
      ["c", 1],
    ] as const)
      await cluster.job(id, count);
    expect((await hand.dequeue(0, "hand", 16)).More.map(({ JobID }) => JobID)).toEqual(["b"]);
  });

  test("a worker stops, its held request is answered empty and the next evaluation goes to another", async () => {
    const { cluster, hand } = await led();
    const [leaving, staying] = [hand.dequeue(5_000, "leaving"), hand.dequeue(5_000, "staying")];
    await settle();
    cluster.client.bus.publish(SUBJECTS.leave, BrokerLeave.encode({ WorkerIDs: ["leaving"] }).finish());
    expect((await leaving).Evaluation).toBeUndefined();
    const id = await cluster.job("web", 1);
    expect((await staying).Evaluation?.ID).toBe(id);
  });

  test("a worker asks to be held for ever, is held five seconds", async () => {
    const { hand, clock } = await led();
    const answered = hand.dequeue(4_000_000_000);
    await clock.advance(5_100);
    expect((await answered).Evaluation).toBeUndefined();
  });

  test("paused by operators, hands out nothing until it goes on", async () => {
    const { cluster, hand } = await led();
    await pause(cluster, true);
    const id = await cluster.job("web", 1);
    expect((await hand.dequeue()).Evaluation).toBeUndefined();
    const answered = hand.dequeue(5_000);
    await settle();
    await pause(cluster, false);
    expect((await answered).Evaluation?.ID).toBe(id);
  });

  test("made before this leader's term, is handed out", async () => {
    const cluster = new TestCluster();
    const id = await cluster.job("web", 1);
    cluster.server("a");
    await cluster.region.clock.advance(100);
    expect((await new HandWorker(cluster).dequeue()).Evaluation?.ID).toBe(id);
  });

  test("the index to wait for, covers the last change of the job's allocations", async () => {
    const { cluster, hand } = await led();
    await cluster.nodes(1);
    await cluster.job("web", 2);
    const worker = cluster.worker("w");
    await settle();
    await cluster.region.clock.advance(100);
    await Promise.all([worker.worker.stop(), cluster.region.clock.advance(6_000)]);
    const planned = cluster.client.view.jobs.get("default", "web")?.allocationsIndex ?? 0;
    await cluster.write({
      $case: "EvaluateJob",
      value: { Namespace: "default", JobID: "web", ForceReschedule: false },
    });
    expect(planned).toBeGreaterThan(0);
    expect((await hand.dequeue()).WaitIndex).toBeGreaterThanOrEqual(planned);
  });

  test("acknowledged but not ended in the log, is delivered again", async () => {
    const { cluster, hand, clock } = await led();
    const id = await cluster.job("web", 1);
    const delivery = await hand.dequeue();
    const accepted = hand.answer(delivery, true);
    await touchFor(hand, clock, 6);
    expect(await accepted).toBe(false);
    await clock.advance(1_100);
    expect((await hand.dequeue()).Evaluation?.ID).toBe(id);
  });

  test("acknowledged before the leader saw its end, is accepted when it has", async () => {
    const { cluster, server, hand } = await led();
    await cluster.job("web", 1);
    const delivery = await hand.dequeue();
    server.member.lagging = true;
    await endEvaluation(cluster, delivery);
    const accepted = hand.answer(delivery, true);
    await settle();
    server.member.lagging = false;
    server.member.catchUp();
    expect(await accepted).toBe(true);
  });

  test("three deliveries in vain, fails it and makes a follow-up for later", async () => {
    const { cluster, hand, clock } = await led();
    const id = await cluster.job("web", 1);
    for (let n = 0; n < 3; n++) {
      const delivery = await hand.dequeue();
      expect(delivery.Evaluation?.ID).toBe(id);
      expect(await hand.answer(delivery, false)).toBe(true);
      await clock.advance(21_000);
    }
    const [failed, followUp] = cluster.evaluationsOf("web");
    expect(failed).toMatchObject({ Status: "failed", StatusDescription: "evaluation reached delivery limit (3)" });
    expect(followUp).toMatchObject({ Status: "pending", TriggeredBy: "failed-follow-up", PreviousEval: id });
    expect(failed?.NextEval).toBe(followUp?.ID);
    expect((await hand.dequeue()).Evaluation).toBeUndefined();
    await clock.advance(6 * 60_000);
    expect((await hand.dequeue()).Evaluation?.ID).toBe(followUp?.ID);
  });

  test("three deliveries in vain of a job that is gone, makes no follow-up", async () => {
    const { cluster, hand, clock } = await led();
    await cluster.job("web", 1);
    await cluster.write({
      $case: "DeregisterJob",
      value: { Namespace: "default", JobID: "web", Purge: true, EvalPriority: 0, NoShutdownDelay: false },
    });
    for (let n = 0; n < 3; n++) {
      await hand.answer(await hand.dequeue(), false);
      await clock.advance(21_000);
    }
    expect(
      cluster
        .evaluationsOf("web")
        .map(({ Status }) => Status)
        .sort(),
    ).toEqual(["complete", "failed"]);
  });

  test("several evaluations of a job wait, the older are written as canceled", async () => {
    const { cluster, hand } = await led();
    await cluster.job("web", 1);
    const delivery = await hand.dequeue();
    for (let count = 2; count < 5; count++) await cluster.job("web", count);
    await endEvaluation(cluster, delivery);
    await settle();
    const statuses = cluster.evaluationsOf("web").map(({ Status }) => Status);
    expect(statuses).toEqual(["complete", "canceled", "canceled", "pending"]);
    expect(cluster.evaluationsOf("web")[1]?.StatusDescription).toBe("canceled after more recent eval was processed");
    expect((await hand.dequeue()).Evaluation?.ID).toBe(cluster.evaluationsOf("web")[3]?.ID);
  });

  test("leadership ends, held requests are answered and nobody serves any more", async () => {
    const { server, hand } = await led();
    const answered = hand.dequeue(5_000);
    await settle();
    await server.leadership.stop();
    expect((await answered).Evaluation).toBeUndefined();
    await expect(hand.dequeue(1)).rejects.toThrow(/nobody serves/);
    expect(server.duties.brokerStats()).toBeUndefined();
  });
});

async function touchFor(hand: HandWorker, clock: { advance(ms: number): Promise<void> }, seconds: number) {
  for (let n = 0; n < seconds; n++) {
    hand.touch();
    await clock.advance(1_000);
  }
}

/** As a worker's plan would that finds nothing to place. */
async function endEvaluation(cluster: TestCluster, { Evaluation }: BrokerDequeueResponse): Promise<void> {
  const term = cluster.client.view.lease?.Term ?? 0;
  if (Evaluation === undefined) throw new Error("nothing was delivered");
  const Evaluations = [{ ...Evaluation, Status: "complete" }];
  await cluster.write({ $case: "UpsertEvaluations", value: { Term: term, Evaluations } });
}
