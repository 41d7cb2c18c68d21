// biome-ignore-all lint/suspicious/noTemplateCurlyInString: targets of constraints
import { mockJob, mockNode, mockSystemJob } from "@steppe/model/internal";
import type { Job } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { World } from "../testing/world.ts";

function running(make: () => Job = mockSystemJob, nodes = 3): { world: World; job: Job } {
  const world = new World();
  world.addNodes(...Array.from({ length: nodes }, (_, i) => mockNode({ Meta: { rack: `r${i}` } }, i)));
  const job = make();
  world.process(world.register(job));
  for (const allocation of world.live(job)) world.report(allocation, "running");
  return { world, job };
}

const nodesOf = (world: World, job: Job) =>
  world
    .live(job)
    .map(({ NodeID }) => world.state.nodes.get(NodeID)?.Name)
    .sort();
const sysbatch = () => mockSystemJob({ Type: "sysbatch" });
const changed = (job: Job): Job => ({ ...job, Meta: { changed: "yes" } });

describe("system jobs", () => {
  it("one on every node that suits, and on those that come", () => {
    const { world, job } = running();
    expect(nodesOf(world, job)).toEqual(["node-0", "node-1", "node-2"]);
    world.addNodes(mockNode({}, 3), mockNode({ Datacenter: "dc2" }, 4));
    world.settle();
    expect(nodesOf(world, job)).toEqual(["node-0", "node-1", "node-2", "node-3"]);
    expect(world.names(job)).toEqual(Array(4).fill("web[0]"));
  });

  it("a node that goes down: lost, and back: placed again", () => {
    const { world, job } = running();
    const node = mockNode({}, 1).ID;
    world.setStatus(node, "down");
    world.settle();
    expect(nodesOf(world, job)).toEqual(["node-0", "node-2"]);
    world.setStatus(node, "ready");
    world.settle();
    expect(nodesOf(world, job)).toEqual(["node-0", "node-1", "node-2"]);
  });

  it("a node made ineligible: keeps what it has", () => {
    const { world, job } = running();
    world.setEligibility(mockNode({}, 1).ID, "ineligible");
    world.process(world.evaluate(job));
    expect(nodesOf(world, job)).toHaveLength(3);
  });

  it("a constraint that excludes a node: stopped there", () => {
    const { world, job } = running();
    const constraint = { LTarget: "${meta.rack}", Operand: "!=", RTarget: "r1" };
    world.process(world.register({ ...job, Constraints: [...job.Constraints, constraint] }));
    expect(nodesOf(world, job)).toEqual(["node-0", "node-2"]);
  });

  it("stopped: all stop", () => {
    const { world, job } = running();
    world.process(world.deregister(job));
    expect(world.live(job)).toEqual([]);
  });

  it("its own failure is left to the node; the next look at the job places it again", () => {
    const { world, job } = running();
    for (const allocation of world.live(job).slice(0, 1)) world.report(allocation, "failed");
    world.settle();
    expect(world.live(job)).toHaveLength(2);
    world.process(world.evaluate(job));
    expect(world.live(job)).toHaveLength(3);
  });

  it("no room on a node: the others get theirs, and a blocked evaluation waits for that one", () => {
    const world = new World();
    world.addNodes(mockNode({}, 0));
    // Too near in priority to be preempted.
    const filler = mockJob({ Priority: 95 });
    world.process(world.register(filler));
    world.addNodes(mockNode({}, 1));
    const job = mockSystemJob();
    const plan = world.process(world.register(job));
    expect(nodesOf(world, job)).toEqual(["node-1"]);
    expect(plan.Result?.FailedTGAllocs.web).toMatchObject({
      NodesEvaluated: 1,
      NodesExhausted: 1,
      DimensionExhausted: { cpu: 1 },
    });
    world.process(world.deregister(filler));
    world.unblock();
    expect(nodesOf(world, job)).toEqual(["node-0", "node-1"]);
  });

  it("sysbatch: once a node and version", () => {
    const { world, job } = running(sysbatch);
    for (const allocation of world.live(job)) world.report(allocation, "complete");
    world.process(world.evaluate(job));
    expect(world.live(job)).toEqual([]);
    world.process(world.register(changed(job)));
    expect(world.live(job)).toHaveLength(3);
  });
});
