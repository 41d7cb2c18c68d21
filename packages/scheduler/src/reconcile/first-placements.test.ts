import { mockJob } from "@steppe/model/internal";
import { DeploymentState, Evaluation, type TaskGroup } from "@steppe/proto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { World } from "../testing/world.ts";
import { compareGroup, type GroupOptions, reconcileGroup } from "./group.ts";
import type { GroupRollout } from "./rollout.ts";
import { Updates } from "./updates.ts";

const rollout: fc.Arbitrary<GroupRollout> = fc.record({
  status: fc.constantFrom("none", "running", "paused", "failed", "done"),
  deploymentId: fc.constantFrom("", "d"),
  state: fc.option(
    fc
      .record({ DesiredCanaries: fc.nat(2), Promoted: fc.boolean(), DesiredTotal: fc.nat(2), HealthyAllocs: fc.nat(2) })
      .map((it) => DeploymentState.create(it)),
    { nil: undefined },
  ),
  deploys: fc.boolean(),
  pending: fc.boolean(),
});

test("a group without allocations, any rollout: decided in short as at length", () => {
  const job = mockJob();
  const [mock] = job.TaskGroups as [TaskGroup];
  const view = new World(1).state;
  const group = fc
    .record({ Count: fc.option(fc.nat(4), { nil: undefined }), Canary: fc.nat(2), has: fc.boolean() })
    .map(({ Count, Canary, has }): TaskGroup => {
      return { ...mock, Count, Update: has && mock.Update ? { ...mock.Update, Canary } : undefined };
    });
  fc.assert(
    fc.property(group, rollout, (group, rollout) => {
      const options: GroupOptions = {
        ...{ view, evaluation: Evaluation.create(), job, group, updates: new Updates(job), rollout },
        ...{ now: 0, mayStay: () => false },
      };
      expect(reconcileGroup([], options)).toEqual(compareGroup([], options));
    }),
  );
});
