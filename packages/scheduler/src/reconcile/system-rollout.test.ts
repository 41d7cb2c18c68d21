import { mockNode, mockSystemJob } from "@steppe/model/internal";
import type { Job } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { violations } from "../testing/invariants.ts";
import { World } from "../testing/world.ts";

/** On five nodes, of which `begin` has rolled out the first version. */
function begin(update: Partial<NonNullable<Job["Update"]>> = {}, nodes = 5): { world: World; job: Job } {
  const world = new World();
  world.addNodes(...Array.from({ length: nodes }, (_, i) => mockNode({}, i)));
  const job = mockSystemJob();
  for (const group of job.TaskGroups) Object.assign(group.Update ?? {}, { MaxParallel: 2, Canary: 0, ...update });
  world.process(world.register(job));
  return { world, job };
}

function rolledOut(update: Partial<NonNullable<Job["Update"]>> = {}): { world: World; job: Job } {
  const begun = begin(update);
  begun.world.rollOut(begun.job);
  return begun;
}

const changed = (job: Job): Job => ({ ...job, Meta: { changed: "yes" } });
const versions = (world: World, job: Job) =>
  world
    .live(job)
    .map(({ Job }) => Job.Version)
    .sort();
const state = (world: World, job: Job) => world.deployment(job).TaskGroups.web;

describe("a system job's deployment", () => {
  it("first version: all nodes at once, complete when all are healthy, and stable", () => {
    const { world, job } = begin({ Canary: 50 });
    expect(versions(world, job)).toEqual([0, 0, 0, 0, 0]);
    expect(state(world, job)).toMatchObject({ DesiredTotal: 5, DesiredCanaries: 0, PlacedAllocs: 5 });
    expect(world.deployment(job).Status).toBe("running");
    world.heal(job);
    expect(world.deployment(job).Status).toBe("successful");
    expect(world.state.jobs.get(job.Namespace, job.ID)?.job.Stable).toBe(true);
  });

  it("an update: MaxParallel nodes at a time, the next when those are healthy", () => {
    const { world, job } = rolledOut();
    world.process(world.register(changed(job)));
    expect(versions(world, job)).toEqual([0, 0, 0, 1, 1]);
    world.process(world.evaluate(job));
    expect(versions(world, job)).toEqual([0, 0, 0, 1, 1]);
    world.heal(job);
    expect(versions(world, job)).toEqual([0, 1, 1, 1, 1]);
    world.rollOut(job);
    expect(versions(world, job)).toEqual([1, 1, 1, 1, 1]);
    expect(world.deployment(job)).toMatchObject({ Status: "successful", JobVersion: 1 });
  });

  it("canaries: on so many per cent of the nodes, rounded up; the rest follows their promotion", () => {
    const { world, job } = rolledOut({ Canary: 50, MaxParallel: 5 });
    const plan = world.process(world.register(changed(job)));
    expect(versions(world, job)).toEqual([0, 0, 1, 1, 1]);
    expect(state(world, job)).toMatchObject({ DesiredCanaries: 3, DesiredTotal: 5, Promoted: false });
    expect(state(world, job)?.PlacedCanaries).toHaveLength(3);
    expect(plan.Placements[0]?.Canaries).toEqual([0, 1, 2]);
    expect(violations(world.state)).toEqual([]);
    world.heal(job);
    expect(versions(world, job)).toEqual([0, 0, 1, 1, 1]);
    expect(world.promote(job).Refusal).toBeUndefined();
    world.settle();
    expect(versions(world, job)).toEqual([1, 1, 1, 1, 1]);
    world.rollOut(job);
    expect(world.deployment(job).Status).toBe("successful");
  });

  it("canaries beyond MaxParallel: in steps", () => {
    const { world, job } = rolledOut({ Canary: 60, MaxParallel: 2 });
    world.process(world.register(changed(job)));
    expect(versions(world, job)).toEqual([0, 0, 0, 1, 1]);
    world.heal(job);
    expect(versions(world, job)).toEqual([0, 0, 1, 1, 1]);
    world.heal(job);
    expect(versions(world, job)).toEqual([0, 0, 1, 1, 1]);
  });

  it("one turns out unhealthy: no further node is updated", () => {
    const { world, job } = rolledOut();
    world.process(world.register(changed(job)));
    const [first] = world.live(job).filter(({ Job }) => Job.Version === 1);
    if (first !== undefined) world.report(first, "running", {}, false);
    world.process(world.evaluate(job));
    expect(versions(world, job)).toEqual([0, 0, 0, 1, 1]);
  });

  it("failed, with a rollback: the nodes go back to the stable version, MaxParallel at a time", () => {
    const { world, job } = rolledOut({ AutoRevert: true });
    world.process(world.register(changed(job)));
    const DeploymentID = world.deployment(job).ID;
    world.run({
      $case: "FailDeployment",
      value: { Term: 0, DeploymentID, StatusDescription: "Failed due to unhealthy allocations", Rollback: true },
    });
    world.settle();
    expect(world.deployment(job).JobVersion).toBe(2);
    world.rollOut(job);
    // Nodes that the failed version never came to have taken the new one over in place.
    expect(versions(world, job)).toEqual([2, 2, 2, 2, 2]);
    expect(world.live(job).every(({ Job }) => Job.Meta.changed === undefined)).toBe(true);
  });

  it("paused: nodes that come get theirs, none is updated; resumed: it goes on", () => {
    const { world, job } = rolledOut();
    world.process(world.register(changed(job)));
    const DeploymentID = world.deployment(job).ID;
    world.run({ $case: "PauseDeployment", value: { DeploymentID, Pause: true } });
    world.addNodes(mockNode({}, 9));
    world.settle();
    world.heal(job);
    expect(versions(world, job)).toEqual([0, 0, 0, 1, 1, 1]);
    world.run({ $case: "PauseDeployment", value: { DeploymentID, Pause: false } });
    world.settle();
    expect(versions(world, job)).toEqual([0, 1, 1, 1, 1, 1]);
    world.rollOut(job);
    expect(world.deployment(job).Status).toBe("successful");
  });

  it("a node goes down meanwhile: complete without it", () => {
    const { world, job } = rolledOut();
    world.process(world.register(changed(job)));
    world.setStatus(mockNode({}, 4).ID, "down");
    world.settle();
    world.rollOut(job);
    expect(versions(world, job)).toEqual([1, 1, 1, 1]);
    expect(world.deployment(job).Status).toBe("successful");
  });

  it("MaxParallel 0: all at once, without a deployment", () => {
    const { world, job } = begin({ MaxParallel: 0 });
    world.process(world.register(changed(job)));
    expect(versions(world, job)).toEqual([1, 1, 1, 1, 1]);
    expect(world.state.deployments.latest(job.Namespace, job.ID)).toBeUndefined();
  });
});
