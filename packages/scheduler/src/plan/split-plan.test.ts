import { SECOND } from "@steppe/model";
import { mockJob, mockNode } from "@steppe/model/internal";
import { NetworkResource, Plan, RequestedDevice } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { World } from "../testing/world.ts";
import { splitPlan } from "./split-plan.ts";

/** A destructive update of 60 allocations, some of which failed and are replaced with their trackers. */
function world(): { world: World; plan: Plan } {
  const world = new World();
  const gpus = { Type: "gpu", Instances: Array.from({ length: 10 }, (_, i) => ({ ID: `g${i}`, Healthy: true })) };
  const resources = { ...mockNode().NodeResources, Devices: [gpus] };
  world.addNodes(...Array.from({ length: 10 }, (_, i) => mockNode({ NodeResources: resources }, i)));
  const job = mockJob();
  for (const group of job.TaskGroups) {
    group.Count = 60;
    group.Networks = [NetworkResource.create({ DynamicPorts: [{ Label: "a" }, { Label: "b" }] })];
    group.Tasks[0]?.Resources?.Devices.push(RequestedDevice.create({ Name: "gpu", Count: 1 }));
    group.Update = { ...group.Update, MaxParallel: 0 } as never;
  }
  world.process(world.register(job));
  for (const allocation of world.live(job).slice(0, 5)) world.report(allocation, "failed");
  world.now += 3600 * SECOND;
  const changed = structuredClone(job);
  for (const group of changed.TaskGroups) group.Count = 55;
  for (const task of changed.TaskGroups.flatMap(({ Tasks }) => Tasks)) task.Env = { NEW: "yes" };
  return { world, plan: world.plan(world.register(changed)) };
}

describe("splitPlan", () => {
  it("a plan that is small enough: as it is", () => {
    const { plan } = world();
    expect(splitPlan(plan, 1_000_000)).toEqual([plan]);
  });

  it.each([1_000, 1_500, 3_000])(
    "at %i bytes: no part is larger, every part is taken whole, the last ends the evaluation",
    (bytes) => {
      const split = world();
      const whole = world();
      const parts = splitPlan(split.plan, bytes);
      expect(parts.length).toBeGreaterThan(1);
      for (const [i, part] of parts.entries()) {
        const isLast = i === parts.length - 1;
        expect(Plan.encode(part).finish().length).toBeLessThanOrEqual(bytes);
        expect([part.Result !== undefined, part.Evaluations.length > 0 && !isLast]).toEqual([isLast, false]);
        expect(split.world.apply(part)).toMatchObject({ RejectedNodes: [], Refusal: undefined });
      }
      whole.world.apply(whole.plan);
      const outline = ({ state }: World) =>
        [...state.allocations.byId.values()]
          .map((it) => [
            it.ID,
            it.Name,
            it.NodeID,
            it.DesiredStatus,
            it.Score,
            it.PreviousAllocation,
            it.RescheduleTracker,
            it.Claims,
          ])
          .sort();
      expect(outline(split.world)).toEqual(outline(whole.world));
    },
  );
});
