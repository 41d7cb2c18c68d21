import { mockJob, mockNode } from "@steppe/model/internal";
import type { Job, Plan } from "@steppe/proto";
import { expect, test } from "vitest";
import { schedule } from "./schedule.ts";
import { World } from "./testing/world.ts";
import { Underway } from "./underway.ts";

function jobOf(ID: string, Count: number): Job {
  const job = mockJob({ ID });
  return { ...job, TaskGroups: job.TaskGroups.map((it) => ({ ...it, Count, Networks: [], Services: [] })) };
}

function world() {
  const world = new World();
  // Room for seven.
  world.addNodes(mockNode({}, 0));
  const underway = new Underway(world.state);
  const plan = (job: Job) =>
    schedule(world.state, world.register(job), { now: world.now, random: world.random, underway });
  return { world, underway, plan };
}

const placed = ({ Placements }: Plan) => Placements.reduce((sum, { NameIndexes }) => sum + NameIndexes.length, 0);

test("a plan is on its way: what it takes is not given to another, until it is known what became of it", () => {
  const { underway, plan } = world();
  const first = plan(jobOf("first", 5));
  underway.add(first);
  expect([placed(first), placed(plan(jobOf("second", 5)))]).toEqual([5, 2]);
  underway.remove(first);
  expect(placed(plan(jobOf("third", 5)))).toBe(5);
});

test("a plan that places nothing is on its way: nothing is taken", () => {
  const { underway, plan } = world();
  underway.add(plan(jobOf("none", 0)));
  expect(underway.isEmpty).toBe(true);
});

test("a plan is on its way to a node that is gone meanwhile: counts nowhere", () => {
  const { world: it, underway, plan } = world();
  underway.add(plan(jobOf("first", 5)));
  it.run({ $case: "DeregisterNodes", value: { NodeIDs: [mockNode({}, 0).ID] } });
  it.addNodes(mockNode({}, 1));
  expect(placed(plan(jobOf("second", 7)))).toBe(7);
});
