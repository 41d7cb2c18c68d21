import { SECOND } from "@steppe/model";
import { mockBatchJob, mockJob, mockNode, mockSystemJob } from "@steppe/model/internal";
import { DisconnectStrategy, type Job, type TaskState, TaskState as TaskStates } from "@steppe/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { violations } from "../testing/invariants.ts";
import { World } from "../testing/world.ts";

const RUNS = Number(process.env.STEPPE_PROPERTY_RUNS ?? 200);
/** More runs may take longer, also on a busy machine. */
const PATIENCE_MS = 60_000 + 300 * RUNS;
const started = (at: number): Record<string, TaskState> => ({
  web: TaskStates.create({ State: "running", StartedAt: at }),
});

function withDisconnect(job: Job, strategy: Partial<DisconnectStrategy>, count = 1): Job {
  for (const group of job.TaskGroups) {
    if (job.Type !== "system") group.Count = count;
    group.Disconnect = DisconnectStrategy.create({ LostAfter: 60 * SECOND, Replace: true, ...strategy });
  }
  return job;
}

/** One allocation whose node went away after it ran, and came back once its replacement was placed. */
function reunited(strategy: string, change: { replacementRuns?: boolean; update?: boolean } = {}) {
  const world = new World();
  world.addNodes(mockNode({}, 0), mockNode({}, 1));
  const job = withDisconnect(mockJob(), { Reconcile: strategy });
  world.process(world.register(job));
  const original = world.live(job)[0] as never as ReturnType<World["live"]>[number];
  world.report(original, "running", started(1 * SECOND));
  world.setStatus(original.NodeID, "disconnected");
  world.settle();
  if (change.update === true) {
    world.process(world.register({ ...job, Meta: { changed: "yes" } }));
    world.settle();
  }
  const replacement = world.live(job).find((it) => it !== original) as typeof original;
  if (change.replacementRuns !== false) world.report(replacement, "running", started(2 * SECOND));
  return { world, job, original, replacement };
}

describe("a client that reconnects", () => {
  it.each([
    ["keep_original", "original"],
    ["keep_replacement", "replacement"],
    ["longest_running", "original"],
  ])("%s: goes on with the %s", (strategy, expected) => {
    const { world, job, original, replacement } = reunited(strategy);
    world.setStatus(original.NodeID, "ready");
    world.report(original, "running", started(1 * SECOND));
    world.settle();
    const kept = expected === "original" ? original : replacement;
    expect(world.live(job)).toEqual([kept]);
    expect(violations(world.state)).toEqual([]);
  });

  it.each([
    ["better on the new node", 0.9, true, "replacement"],
    ["better, but it does not run yet", 0.9, false, "original"],
    ["worse on the new node", 0.1, true, "original"],
  ])("best_score, %s: goes on with the right one", (_, score, replacementRuns, expected) => {
    const { world, job, original, replacement } = reunited("best_score", { replacementRuns });
    Object.assign(original, { Score: 0.5 });
    Object.assign(replacement, { Score: score });
    world.setStatus(original.NodeID, "ready");
    world.report(original, "running");
    world.settle();
    expect(world.live(job)).toEqual([expected === "original" ? original : replacement]);
  });

  it("keep_original, but the job changed meanwhile: goes on with the one of the new version", () => {
    const { world, job, original, replacement } = reunited("keep_original", { update: true });
    world.setStatus(original.NodeID, "ready");
    world.report(original, "running");
    world.settle();
    expect(world.live(job)).toEqual([replacement]);
  });

  it("it speaks before its node counts as ready: nothing is settled until it does", () => {
    const { world, job, original } = reunited("keep_original");
    world.report(original, "running");
    world.settle();
    expect(world.live(job)).toHaveLength(2);
    world.setStatus(original.NodeID, "ready");
    world.settle();
    expect(world.live(job)).toEqual([original]);
  });

  it("it failed meanwhile: its replacement is the replacement", () => {
    const { world, job, original, replacement } = reunited("keep_original");
    world.setStatus(original.NodeID, "ready");
    world.report(original, "failed");
    world.settle();
    expect(world.live(job)).toEqual([replacement]);
  });

  it.each([true, false])(
    "a batch allocation ended well while unknown, replaced: %s: none runs on or is placed",
    (Replace) => {
      const world = new World();
      world.addNodes(mockNode({}, 0), mockNode({}, 1));
      const job = withDisconnect(mockBatchJob(), { Replace });
      world.process(world.register(job));
      const [it] = world.live(job);
      if (it === undefined) throw new Error("nothing placed");
      world.report(it, "running");
      world.setStatus(it.NodeID, "disconnected");
      world.settle();
      world.setStatus(it.NodeID, "ready");
      world.report(it, "complete");
      world.settle();
      expect([world.live(job), world.allocations(job).length]).toEqual([[], Replace ? 2 : 1]);
    },
  );

  it("the job is stopped meanwhile: told to stop, and the job is dead", () => {
    const { world, job, original } = reunited("keep_original");
    world.process(world.deregister(job));
    expect([original.DesiredStatus, original.ClientStatus]).toEqual(["stop", "unknown"]);
    expect(world.state.jobs.get("default", job.ID)?.job.Status).toBe("dead");
  });

  it("a system job: unknown on its node, and taken up there again", () => {
    const world = new World();
    world.addNodes(mockNode({}, 0), mockNode({}, 1));
    const job = withDisconnect(mockSystemJob(), {});
    world.process(world.register(job));
    for (const it of world.live(job)) world.report(it, "running");
    const [it] = world.live(job);
    if (it === undefined) throw new Error("nothing placed");
    world.setStatus(it.NodeID, "disconnected");
    world.settle();
    expect([it.ClientStatus, world.live(job).length]).toEqual(["unknown", 2]);
    world.setStatus(it.NodeID, "ready");
    world.report(it, "running");
    world.settle();
    expect([it.UnknownSince, world.live(job).length]).toEqual([0, 2]);
  });

  it("a system job, gone for too long: lost, and placed anew when the node is back", () => {
    const world = new World();
    world.addNodes(mockNode({}, 0));
    const job = withDisconnect(mockSystemJob(), {});
    world.process(world.register(job));
    const [it] = world.live(job);
    if (it === undefined) throw new Error("nothing placed");
    world.report(it, "running");
    world.setStatus(it.NodeID, "disconnected");
    world.settle();
    world.now += 60 * SECOND;
    world.settle();
    expect([it.ClientStatus, world.live(job).length]).toEqual(["lost", 0]);
    world.setStatus(it.NodeID, "ready");
    world.settle();
    expect(world.live(job)).toHaveLength(1);
  });
});

const step = fc.record({
  kind: fc.constantFrom("disconnected", "disconnected", "ready", "ready", "down", "back", "failed", "pass", "update"),
  which: fc.nat(20),
});

describe("any history of nodes that come and go", () => {
  it(
    "never two that hold one name, and in the end the count of them, each known",
    () => {
      const given = fc.record({
        seed: fc.nat(),
        steps: fc.array(step, { maxLength: 25 }),
        strategy: fc.constantFrom("best_score", "keep_original", "keep_replacement", "longest_running"),
        replace: fc.boolean(),
      });
      fc.assert(
        fc.property(given, ({ seed, steps, strategy, replace }) => {
          const world = new World(seed);
          const ids = [0, 1, 2, 3, 4].map((n) => mockNode({}, n).ID);
          world.addNodes(...ids.map((_, n) => mockNode({}, n)));
          const job = withDisconnect(mockJob(), { Reconcile: strategy, Replace: replace }, 5);
          for (const group of job.TaskGroups) group.Update = { ...group.Update, MaxParallel: 0 } as never;
          world.register(job);
          world.settle();
          const reachable = (it: { NodeID: string }) => world.state.nodes.get(it.NodeID)?.Status === "ready";
          const speak = () => {
            for (const it of world.live(job)) {
              if (reachable(it) && it.ClientStatus !== "running") world.report(it, "running");
            }
          };
          for (const { kind, which } of steps) {
            const node = ids[which % ids.length] as string;
            const live = world.live(job);
            const allocation = live[which % live.length];
            if (kind === "back") speak();
            else if (kind === "failed")
              allocation !== undefined && reachable(allocation) && world.report(allocation, kind);
            else if (kind === "pass") world.now += (which % 4) * 25 * SECOND;
            else if (kind === "update") world.register({ ...job, Meta: { changed: String(which) } });
            else world.setStatus(node, kind);
            world.settle();
            expect(violations(world.state)).toEqual([]);
          }
          for (const id of ids) world.setStatus(id, "ready");
          for (let round = 0; round < 3; round++) {
            speak();
            world.now += 3_600 * SECOND;
            world.settle();
            world.unblock();
          }
          expect(violations(world.state)).toEqual([]);
          expect(world.live(job).every(({ UnknownSince }) => UnknownSince === 0)).toBe(true);
          const spent = world.allocations(job).filter((it) => it.ClientStatus === "failed" && it.NextAllocation === "");
          expect(world.live(job).length + spent.length).toBeGreaterThanOrEqual(5);
          expect(world.live(job).length).toBeLessThanOrEqual(5);
        }),
        { numRuns: RUNS },
      );
    },
    PATIENCE_MS,
  );
});
