import { mockJob, mockNode } from "@steppe/model/internal";
import { type Job, PreemptionConfig, SchedulerConfiguration } from "@steppe/proto";
import { World } from "@steppe/scheduler/internal";
import { describe, expect, it } from "vitest";
import { planJob } from "./plan-job.ts";

/** So many allocations, of which two fit on a node of 3,900 MHz. */
function jobOf(id: string, Priority: number, count: number): Job {
  const job = mockJob({ ID: id, Name: id, Priority });
  for (const group of job.TaskGroups) {
    group.Count = count;
    for (const { Resources } of group.Tasks) Object.assign(Resources ?? {}, { CPU: 1_900, MemoryMB: 64 });
  }
  return job;
}

/** One node, full with a job of low priority. */
function crowded(ServiceSchedulerEnabled: boolean): World {
  const world = new World();
  world.addNodes(mockNode());
  world.process(world.register(jobOf("low", 20, 2)));
  const Config = {
    ...SchedulerConfiguration.create(),
    PreemptionConfig: PreemptionConfig.create({ ServiceSchedulerEnabled }),
  };
  world.run({ $case: "SetSchedulerConfiguration", value: { Config, CheckIndex: false, ModifyIndex: 0 } });
  return world;
}

const plan = (world: World, job: Job) =>
  planJob(job, false, { view: world.state, random: world.random, now: world.now });

describe("job plan", () => {
  it("it would evict others: their stubs in the annotations, and nothing happens to them", () => {
    const world = crowded(true);
    const { index } = world.state;
    const planned = plan(world, jobOf("urgent", 70, 1));
    const [victim, ...rest] = planned.Annotations?.PreemptedAllocs ?? [];
    expect(rest).toEqual([]);
    expect(victim).toMatchObject({ JobID: "low", TaskGroup: "web", DesiredStatus: "run" });
    expect(world.state.allocations.get(victim?.ID ?? "")?.DesiredStatus).toBe("run");
    expect(planned.Annotations?.DesiredTGUpdates.web).toMatchObject({ Place: 1, Preemptions: 1 });
    expect([planned.FailedTGAllocs, world.state.index]).toEqual([{}, index]);
  });

  it("jobs of its type may evict none: nobody is named, and it says what ran out", () => {
    const world = crowded(false);
    const planned = plan(world, jobOf("urgent", 70, 1));
    expect(planned.Annotations?.PreemptedAllocs).toEqual([]);
    expect(planned.FailedTGAllocs.web?.DimensionExhausted).toEqual({ cpu: 1 });
  });
});
