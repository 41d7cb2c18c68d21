import { mockJob, mockSystemJob } from "@steppe/model/internal";
import { AllocationUpdate, type Job, type UpdateStrategy } from "@steppe/proto";
import { schedule } from "@steppe/scheduler";
import type { AllocationView } from "@steppe/state";
import { describe, expect, test } from "vitest";
import { TestCluster } from "../testing/cluster.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

function webJob(count: number, update: Partial<UpdateStrategy>, fields: Partial<Job> = {}): Job {
  const job = mockJob({ ID: "web" });
  for (const group of job.TaskGroups) {
    group.Count = count;
    Object.assign(group.Update ?? {}, update);
  }
  return { ...job, ...fields };
}

function systemJob(update: Partial<UpdateStrategy>): Job {
  const job = mockSystemJob({ ID: "web" });
  for (const group of job.TaskGroups) Object.assign(group.Update ?? {}, update);
  return job;
}

const changed = (job: Job): Job => ({ ...structuredClone(job), Meta: { changed: "yes" } });

/** A led region with the real scheduler; nodes report what `health` says of each running allocation. */
async function world(health: (allocation: AllocationView) => boolean | undefined, servers = 1) {
  const cluster = new TestCluster();
  const all = Array.from({ length: servers }, (_, n) => cluster.server(`server-${n}`));
  cluster.worker("w", {
    schedule: (evaluation, _, member) =>
      schedule(member.view, evaluation, { now: member.clock.wallNs(), random: member.random }),
  });
  await cluster.region.clock.advance(SECOND);
  await cluster.nodes(4);
  const { view } = cluster.client;
  const live = () => [...(view.jobs.get("default", "web")?.allocations ?? [])].filter((it) => !it.terminal);
  const report = async () => {
    const Updates = live()
      .filter((it) => it.ClientStatus === "pending" || it.DeploymentStatus?.Healthy === undefined)
      .map((it) => {
        const Healthy = health(it);
        const Timestamp = cluster.client.clock.wallNs();
        const DeploymentStatus = { Healthy, Timestamp, Canary: false, ModifyIndex: 0 };
        const ClientStatus = Healthy === false ? "failed" : "running";
        return AllocationUpdate.create({ ID: it.ID, ClientStatus, DeploymentID: it.DeploymentID, DeploymentStatus });
      });
    if (Updates.length > 0) await cluster.write({ $case: "UpdateAllocations", value: { Updates } });
  };
  const pass = async (ms: number) => {
    for (let spent = 0; spent < ms; spent += SECOND) {
      await report();
      await cluster.region.clock.advance(SECOND);
    }
  };
  return {
    cluster,
    servers: all,
    pass,
    live,
    versions: () =>
      live()
        .map(({ Job }) => Job.Version)
        .sort(),
    deployment: () => view.deployments.latest("default", "web")?.deployment,
    job: () => view.jobs.get("default", "web")?.job,
  };
}

describe("deployments, watched", () => {
  test("a new version, rolls out step by step as allocations turn healthy", async () => {
    const it = await world(() => true);
    const job = webJob(4, { MaxParallel: 1 });
    await it.cluster.register(job);
    await it.pass(5 * SECOND);
    expect(it.deployment()).toMatchObject({ JobVersion: 0, Status: "successful" });
    await it.cluster.register(changed(job));
    await it.pass(2 * SECOND);
    expect(it.deployment()?.Status).toBe("running");
    await it.pass(10 * SECOND);
    expect(it.deployment()).toMatchObject({ JobVersion: 1, Status: "successful" });
    expect(it.versions()).toEqual([1, 1, 1, 1]);
  });

  test("an update that fails, is rolled back to the stable version", async () => {
    const it = await world(({ Job }) => Job.Meta.changed === undefined);
    const job = webJob(3, { MaxParallel: 1, AutoRevert: true, ProgressDeadline: 0 });
    await it.cluster.register(job);
    await it.pass(5 * SECOND);
    await it.cluster.register(changed(job));
    const failing = () => it.cluster.client.view.deployments.byId;
    await it.pass(20 * SECOND);
    expect([...failing().values()].map(({ deployment }) => deployment.StatusDescription)).toEqual([
      "Deployment completed successfully",
      "Failed due to unhealthy allocations - rolling back to job version 0",
      "Deployment completed successfully",
    ]);
    expect(it.versions()).toEqual([2, 2, 2]);
    expect(it.job()).toMatchObject({ Version: 2, Stable: true });
  });

  test("AutoPromote, promotes when all canaries are healthy and not before", async () => {
    let ready = false;
    const it = await world(({ Job }) => (Job.Version === 0 || ready ? true : undefined));
    const job = webJob(3, { MaxParallel: 2, Canary: 1, AutoPromote: true });
    await it.cluster.register(job);
    await it.pass(5 * SECOND);
    await it.cluster.register(changed(job));
    await it.pass(10 * SECOND);
    expect(it.versions()).toEqual([0, 0, 0, 1]);
    ready = true;
    await it.pass(20 * SECOND);
    expect(it.versions()).toEqual([1, 1, 1]);
    expect(it.deployment()).toMatchObject({ Status: "successful", TaskGroups: { web: { Promoted: true } } });
  });

  test("AutoPromote of a system job, promotes when the canaries on so many per cent of its nodes are healthy", async () => {
    let ready = false;
    const it = await world(({ Job }) => (Job.Version === 0 || ready ? true : undefined));
    const job = systemJob({ MaxParallel: 2, Canary: 50, AutoPromote: true });
    await it.cluster.register(job);
    await it.pass(5 * SECOND);
    expect(it.versions()).toEqual([0, 0, 0, 0]);
    await it.cluster.register(changed(job));
    await it.pass(10 * SECOND);
    expect(it.versions()).toEqual([0, 0, 1, 1]);
    expect(it.deployment()).toMatchObject({
      StatusDescription: "Deployment is running pending automatic promotion",
      TaskGroups: { web: { DesiredCanaries: 2, Promoted: false } },
    });
    ready = true;
    await it.pass(20 * SECOND);
    expect(it.versions()).toEqual([1, 1, 1, 1]);
    expect(it.deployment()).toMatchObject({ Status: "successful", TaskGroups: { web: { Promoted: true } } });
  });

  test("nothing turns healthy, fails when the progress deadline has passed", async () => {
    const it = await world(({ Job }) => (Job.Version === 0 ? true : undefined));
    const job = webJob(2, { ProgressDeadline: 5 * 60e9, HealthyDeadline: 60e9 });
    await it.cluster.register(job);
    await it.pass(5 * SECOND);
    await it.cluster.register(changed(job));
    await it.pass(4 * MINUTE);
    expect(it.deployment()?.Status).toBe("running");
    await it.pass(70 * SECOND);
    expect(it.deployment()).toMatchObject({
      ...{ Status: "failed", StatusDescription: "Failed due to progress deadline" },
    });
  });

  test("leaders change all the time, the rollout completes once (3 servers)", async () => {
    const it = await world(() => true, 3);
    const job = webJob(6, { MaxParallel: 1 });
    await it.cluster.register(job);
    await it.pass(5 * SECOND);
    await it.cluster.register(changed(job));
    for (let n = 0; n < 8; n++) {
      await it.pass(2 * SECOND);
      const leader = it.servers.find(({ leadership }) => leadership.term !== undefined);
      if (leader !== undefined) leader.member.cut = true;
      await it.pass(6 * SECOND);
      if (leader !== undefined) leader.member.cut = false;
      leader?.member.catchUp();
    }
    await it.pass(10 * SECOND);
    expect(it.deployment()).toMatchObject({ JobVersion: 1, Status: "successful" });
    expect(it.versions()).toEqual([1, 1, 1, 1, 1, 1]);
    expect(it.cluster.client.view.deployments.byId.size).toBe(2);
  });

  test("a leader whose term has passed, cannot fail a deployment", async () => {
    const it = await world(() => undefined);
    await it.cluster.register(webJob(2, {}));
    await it.pass(2 * SECOND);
    const DeploymentID = it.deployment()?.ID ?? "";
    const value = { Term: 99, DeploymentID, StatusDescription: "", Rollback: false };
    expect((await it.cluster.write({ $case: "FailDeployment", value })).Refusal?.Code).toBe("stale-term");
  });
});
