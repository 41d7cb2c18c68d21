import { SECOND } from "@steppe/model";
import { mockJob, mockNode } from "@steppe/model/internal";
import type { DesiredUpdates, Job, UpdateStrategy } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { World } from "../testing/world.ts";

/** A job on eight nodes whose first version is rolled out. */
function rolledOut(count: number, update: Partial<UpdateStrategy> = {}): { world: World; job: Job } {
  const world = new World();
  world.addNodes(...Array.from({ length: 8 }, (_, i) => mockNode({}, i)));
  const job = mockJob();
  for (const group of job.TaskGroups) {
    group.Count = count;
    Object.assign(group.Update ?? {}, update);
    const policy = { Attempts: 0, Interval: 0, Delay: 5 * SECOND, DelayFunction: "constant", Unlimited: true };
    Object.assign(group.ReschedulePolicy ?? {}, policy);
  }
  world.process(world.register(job));
  world.rollOut(job);
  return { world, job };
}

const changed = (job: Job, to = "new"): Job => ({ ...job, Meta: { changed: to } });

/** How many run each version. */
const versions = (world: World, job: Job) =>
  world
    .live(job)
    .map(({ Job }) => Job.Version)
    .sort();

const groupOf = (world: World, job: Job) => world.deployment(job).TaskGroups.web;

describe("deployments", () => {
  it("a new job: all placed at once, complete and stable when all are healthy", () => {
    const world = new World();
    world.addNodes(mockNode({}, 0));
    const job = mockJob();
    for (const group of job.TaskGroups) group.Count = 3;
    const evaluation = world.register(job);
    world.process(evaluation);
    expect(world.live(job)).toHaveLength(3);
    expect(world.deployment(job)).toMatchObject({
      ...{ Status: "running", StatusDescription: "Deployment is running", JobVersion: 0, JobID: job.ID },
      TaskGroups: { web: { DesiredTotal: 3, PlacedAllocs: 3, RequireProgressBy: world.now + 600 * SECOND } },
    });
    expect(world.evaluation(evaluation.ID).DeploymentID).toBe(world.deployment(job).ID);
    world.now += 20 * SECOND;
    const [first] = world.live(job);
    if (first !== undefined) world.report(first, "running", {}, true);
    expect(groupOf(world, job)).toMatchObject({ HealthyAllocs: 1, RequireProgressBy: world.now + 600 * SECOND });
    world.process(world.evaluate(job));
    expect(world.deployment(job).Status).toBe("running");
    world.heal(job);
    expect(world.deployment(job)).toMatchObject({
      Status: "successful",
      StatusDescription: "Deployment completed successfully",
    });
    expect(world.state.jobs.get("default", job.ID)?.job.Stable).toBe(true);
  });

  it("destructive update, MaxParallel 2: so many not healthy at a time", () => {
    const { world, job } = rolledOut(5, { MaxParallel: 2 });
    world.process(world.register(changed(job)));
    expect(versions(world, job)).toEqual([0, 0, 0, 1, 1]);
    world.process(world.evaluate(job));
    expect(versions(world, job)).toEqual([0, 0, 0, 1, 1]);
    const fresh = world.live(job).find(({ Job }) => Job.Version === 1);
    if (fresh !== undefined) world.report(fresh, "running", {}, true);
    world.process(world.evaluate(job));
    expect(versions(world, job)).toEqual([0, 0, 1, 1, 1]);
    world.rollOut(job);
    expect(versions(world, job)).toEqual([1, 1, 1, 1, 1]);
    expect(world.names(job)).toEqual(["web[0]", "web[1]", "web[2]", "web[3]", "web[4]"]);
  });

  it("MaxParallel 0: all at once, without a deployment", () => {
    const { world, job } = rolledOut(4);
    const next = changed(job);
    for (const { Update } of next.TaskGroups) Object.assign(Update ?? {}, { MaxParallel: 0 });
    world.process(world.register(next));
    expect(versions(world, job)).toEqual([1, 1, 1, 1]);
    expect(world.deployment(job).JobVersion).toBe(0);
  });

  it("an unhealthy allocation: nothing else is updated", () => {
    const { world, job } = rolledOut(4, { MaxParallel: 3 });
    world.process(world.register(changed(job)));
    const [bad, ...good] = world.live(job).filter(({ Job }) => Job.Version === 1);
    for (const it of good) world.report(it, "running", {}, true);
    if (bad !== undefined) world.report(bad, "running", {}, false);
    world.process(world.evaluate(job));
    expect(versions(world, job)).toEqual([0, 1, 1, 1]);
    expect(groupOf(world, job)).toMatchObject({ HealthyAllocs: 2, UnhealthyAllocs: 1 });
  });

  it("paused: nothing else is updated, what is lost is replaced; resumed: goes on", () => {
    const { world, job } = rolledOut(4, { MaxParallel: 1 });
    world.process(world.register(changed(job)));
    const { ID } = world.deployment(job);
    world.run({ $case: "PauseDeployment", value: { DeploymentID: ID, Pause: true } });
    expect(world.deployment(job)).toMatchObject({ Status: "paused", StatusDescription: "Deployment is paused" });
    world.heal(job);
    expect(versions(world, job)).toEqual([0, 0, 0, 1]);
    world.setStatus(world.live(job)[0]?.NodeID ?? "", "down");
    world.settle();
    expect(world.live(job)).toHaveLength(4);
    world.run({ $case: "PauseDeployment", value: { DeploymentID: ID, Pause: false } });
    world.settle();
    world.rollOut(job);
    expect(versions(world, job)).toEqual([1, 1, 1, 1]);
  });

  it("a plan made before the deployment was paused: refused", () => {
    const { world, job } = rolledOut(4, { MaxParallel: 1 });
    world.process(world.register(changed(job)));
    for (const it of world.live(job)) world.report(it, "running", {}, true);
    const plan = world.plan(world.evaluate(job));
    world.run({ $case: "PauseDeployment", value: { DeploymentID: world.deployment(job).ID, Pause: true } });
    expect(world.apply(plan).Refusal?.Code).toBe("stale-plan");
  });

  it("failed: stays half way", () => {
    const { world, job } = rolledOut(4, { MaxParallel: 1 });
    world.process(world.register(changed(job)));
    const value = { Term: 0, DeploymentID: world.deployment(job).ID, StatusDescription: "", Rollback: false };
    world.run({ $case: "FailDeployment", value });
    world.settle();
    world.heal(job);
    expect(versions(world, job)).toEqual([0, 0, 0, 1]);
    expect(world.deployment(job)).toMatchObject({ Status: "failed", StatusDescription: "Deployment marked as failed" });
  });

  it("failed with AutoRevert: the newest stable version again, as a new one", () => {
    const { world, job } = rolledOut(3, { MaxParallel: 1, AutoRevert: true });
    world.process(world.register(changed(job)));
    const failed = world.deployment(job).ID;
    const value = { Term: 0, DeploymentID: failed, StatusDescription: "", Rollback: false };
    expect(world.run({ $case: "FailDeployment", value }).RevertedJobVersion).toBe(0);
    expect(world.state.deployments.get(failed)?.deployment.StatusDescription).toBe(
      "Deployment marked as failed - rolling back to job version 0",
    );
    world.settle();
    world.rollOut(job);
    expect(versions(world, job)).toEqual([2, 2, 2]);
    expect(world.live(job).every(({ Job }) => Job.Meta.changed === undefined)).toBe(true);
    expect(world.state.jobs.get("default", job.ID)?.job).toMatchObject({ Version: 2, Stable: true });
  });

  it("only in-place changes: all at once, and healthy anew", () => {
    const { world, job } = rolledOut(3);
    const plan = world.process(world.register({ ...job, Priority: 70 }));
    expect(plan.InPlaceUpdates[0]?.AllocIDs).toHaveLength(3);
    expect(groupOf(world, job)).toMatchObject({ DesiredTotal: 3, PlacedAllocs: 3, HealthyAllocs: 0 });
    expect(world.live(job).every(({ DeploymentStatus }) => DeploymentStatus === undefined)).toBe(true);
    world.rollOut(job);
    expect(world.deployment(job)).toMatchObject({ JobVersion: 1, Status: "successful" });
  });

  it("a newer version, then the stop of the job: the one under way is cancelled", () => {
    const { world, job } = rolledOut(3);
    world.process(world.register(changed(job, "1")));
    const first = world.deployment(job).ID;
    world.process(world.register(changed(job, "2")));
    expect(world.state.deployments.get(first)?.deployment).toMatchObject({
      ...{ Status: "cancelled", StatusDescription: "Cancelled due to newer version of job" },
    });
    world.process(world.deregister(job));
    expect(world.deployment(job).StatusDescription).toBe("Cancelled because job is stopped");
  });

  it("an evaluation that asks for annotations: the counts by group", () => {
    const { world, job } = rolledOut(5, { MaxParallel: 2 });
    const evaluation = world.register(changed(job));
    const plan = world.plan({ ...evaluation, AnnotatePlan: true });
    const counts: Partial<DesiredUpdates> = { DestructiveUpdate: 2, Ignore: 3, Place: 0, Stop: 0 };
    expect(plan.Result?.Annotations?.DesiredTGUpdates.web).toMatchObject(counts);
    expect(world.plan(evaluation).Result?.Annotations).toBeUndefined();
  });
});

describe("canaries", () => {
  const canaries = (world: World, job: Job) =>
    world.live(job).filter(({ DeploymentStatus }) => DeploymentStatus?.Canary === true);

  it("so many are placed beside the others, under their names; the rest is held", () => {
    const { world, job } = rolledOut(4, { MaxParallel: 2, Canary: 2 });
    world.process(world.register(changed(job)));
    expect(versions(world, job)).toEqual([0, 0, 0, 0, 1, 1]);
    expect(canaries(world, job).map(({ Name }) => Name)).toEqual([`${job.ID}.web[0]`, `${job.ID}.web[1]`]);
    expect(world.deployment(job).StatusDescription).toBe("Deployment is running but requires manual promotion");
    expect(groupOf(world, job)).toMatchObject({ DesiredCanaries: 2, Promoted: false, DesiredTotal: 4 });
    expect(groupOf(world, job)?.PlacedCanaries).toHaveLength(2);
    world.heal(job);
    expect(versions(world, job)).toEqual([0, 0, 0, 0, 1, 1]);
  });

  it("not healthy yet: promotion refused; healthy: the others follow", () => {
    const { world, job } = rolledOut(4, { MaxParallel: 2, Canary: 1 });
    world.process(world.register(changed(job)));
    expect(world.promote(job).Refusal?.Message).toContain('Task group "web" has 0/1 healthy allocations');
    world.heal(job);
    const [canary] = canaries(world, job);
    expect(world.promote(job).Refusal).toBeUndefined();
    world.settle();
    expect(canary?.DeploymentStatus).toMatchObject({ Canary: false, Healthy: true });
    expect(world.deployment(job).StatusDescription).toBe("Deployment is running");
    expect(world.names(job)).toEqual(["web[0]", "web[1]", "web[2]", "web[3]"]);
    expect(versions(world, job)).toEqual([0, 1, 1, 1]);
    world.rollOut(job);
    expect(versions(world, job)).toEqual([1, 1, 1, 1]);
    expect(canary?.terminal).toBe(false);
    expect(world.promote(job).Refusal?.Message).toBe("can't promote terminal deployment");
  });

  it("more than the count: the surplus goes at promotion", () => {
    const { world, job } = rolledOut(2, { Canary: 3 });
    world.process(world.register(changed(job)));
    expect(world.names(job)).toEqual(["web[0]", "web[0]", "web[1]", "web[1]", "web[2]"]);
    world.heal(job);
    world.promote(job);
    world.settle();
    expect(world.names(job)).toEqual(["web[0]", "web[1]"]);
    expect(versions(world, job)).toEqual([1, 1]);
  });

  it("the node of an older allocation goes: replaced by the older version", () => {
    const { world, job } = rolledOut(3, { Canary: 1 });
    world.process(world.register(changed(job)));
    const old = world.live(job).find(({ Job, NameIndex }) => Job.Version === 0 && NameIndex === 2);
    world.setStatus(old?.NodeID ?? "", "down");
    world.settle();
    expect(versions(world, job)).toEqual([0, 0, 0, 1]);
    expect(canaries(world, job)).toHaveLength(1);
    const after = world.live(job).find(({ PreviousAllocation }) => PreviousAllocation === old?.ID);
    expect([after?.Job.Version, after?.DeploymentID]).toEqual([0, ""]);
  });

  it("the node of a canary goes: another canary", () => {
    const { world, job } = rolledOut(3, { Canary: 1 });
    world.process(world.register(changed(job)));
    const [before] = canaries(world, job);
    world.setStatus(before?.NodeID ?? "", "down");
    world.settle();
    const [after] = canaries(world, job);
    expect(after?.ID).not.toBe(before?.ID);
    expect(world.live(job).filter(({ Job }) => Job.Version === 0)).toHaveLength(3);
  });

  it("a failed canary that may be replaced: by a canary", () => {
    const { world, job } = rolledOut(3, { Canary: 1 });
    world.process(world.register(changed(job)));
    const [before] = canaries(world, job);
    if (before === undefined) throw new Error("no canary");
    world.report(before, "failed", {}, false);
    world.settle();
    expect(canaries(world, job)).toEqual([]);
    world.mayReplace(before);
    world.now += 10 * SECOND;
    world.settle();
    const [after] = canaries(world, job);
    expect(after?.PreviousAllocation).toBe(before.ID);
    expect(versions(world, job)).toEqual([0, 0, 0, 1]);
  });

  it("AutoPromote: the description says so", () => {
    const { world, job } = rolledOut(3, { Canary: 1, AutoPromote: true });
    world.process(world.register(changed(job)));
    expect(world.deployment(job).StatusDescription).toBe("Deployment is running pending automatic promotion");
  });
});
