import { mockJob, mockNode } from "@steppe/model/internal";
import { NodePool, SchedulerConfiguration } from "@steppe/proto";
import { expect, it } from "vitest";
import { World } from "../testing/world.ts";

/** On how many of two nodes two small jobs of a pool end up. */
function nodesTaken(ofPool: string, ofCluster: string): number {
  const world = new World();
  const pool = NodePool.create({ Name: "gpu", SchedulerConfiguration: { SchedulerAlgorithm: ofPool } });
  world.run({ $case: "UpsertNodePools", value: { NodePools: [pool], OnlyNew: false } });
  const Config = { ...SchedulerConfiguration.create(), SchedulerAlgorithm: ofCluster };
  world.run({ $case: "SetSchedulerConfiguration", value: { Config, CheckIndex: false, ModifyIndex: 0 } });
  world.addNodes(...[0, 1].map((i) => mockNode({ NodePool: "gpu" }, i)));
  for (const ID of ["a", "b"]) {
    const job = mockJob({ ID, NodePool: "gpu" });
    for (const group of job.TaskGroups) group.Count = 1;
    world.process(world.register(job));
  }
  return new Set([...world.state.allocations.byId.values()].map(({ NodeID }) => NodeID)).size;
}

it.each([
  ["spread", "binpack", 2],
  ["binpack", "spread", 1],
  ["", "spread", 2],
  ["", "binpack", 1],
])("pool %j, cluster %j: so many nodes are taken", (ofPool, ofCluster, taken) => {
  expect(nodesTaken(ofPool, ofCluster)).toBe(taken);
});
