// Rollouts on nodes that drain, go without a word and come back.
import { SECOND } from "@steppe/model";
import { mockJob, mockNode } from "@steppe/model/internal";
import { DisconnectStrategy, type Job } from "@steppe/proto";
import type { AllocationView } from "@steppe/state";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { violations } from "../testing/invariants.ts";
import { World } from "../testing/world.ts";

const RUNS = Number(process.env.STEPPE_PROPERTY_RUNS ?? 200);
/** More runs may take longer, also on a busy machine. */
const PATIENCE_MS = 60_000 + 300 * RUNS;

interface Shape {
  readonly count: number;
  readonly canaries: number;
  readonly strategy: Partial<DisconnectStrategy>;
  readonly seed?: number;
}

/** Its first version is rolled out and its second has begun. */
function begun({ count, canaries, strategy, seed = 1 }: Shape): { world: World; job: Job } {
  const world = new World(seed);
  world.addNodes(...Array.from({ length: 6 }, (_, i) => mockNode({}, i)));
  const job = mockJob();
  for (const group of job.TaskGroups) {
    group.Count = count;
    Object.assign(group.Update ?? {}, { MaxParallel: 1, Canary: canaries });
    group.Disconnect = DisconnectStrategy.create({ LostAfter: 600 * SECOND, Replace: true, ...strategy });
  }
  world.process(world.register(job));
  world.rollOut(job);
  world.process(world.register({ ...job, Meta: { changed: "yes" } }));
  return { world, job };
}

const canariesOf = (world: World, job: Job) =>
  world.live(job).filter(({ DeploymentStatus }) => DeploymentStatus?.Canary === true);

/** Those with a name to themselves, as `0 v1`. */
const held = (world: World, job: Job) =>
  world
    .live(job)
    .filter(({ holdsName }) => holdsName)
    .map(({ NameIndex, Job }) => `${NameIndex} v${Job.Version}`)
    .sort();

function one(list: readonly AllocationView[]): AllocationView {
  const [first] = list;
  if (first === undefined) throw new Error("there is none");
  return first;
}

describe("a rollout on nodes that are cut off", () => {
  it.each([
    ["keep_original", true],
    ["keep_replacement", false],
  ])("a canary's, %s: another canary takes its name, and one of the two stays", (Reconcile, original) => {
    const { world, job } = begun({ count: 2, canaries: 1, strategy: { Reconcile } });
    const canary = one(canariesOf(world, job));
    world.report(canary, "running");
    world.setStatus(canary.NodeID, "disconnected");
    world.settle();
    const replacement = one(canariesOf(world, job).filter((it) => it !== canary));
    expect([replacement.NameIndex, held(world, job)]).toEqual([0, ["0 v0", "0 v1", "1 v0"]]);
    world.report(replacement, "running");
    world.setStatus(canary.NodeID, "ready");
    world.report(canary, "running");
    world.settle();
    expect(canariesOf(world, job)).toEqual([original ? canary : replacement]);
    expect([held(world, job), violations(world.state)]).toEqual([["0 v0", "0 v1", "1 v0"], []]);
  });

  it("an older allocation's whose name a canary has: replaced by an older one, and taken up again", () => {
    const { world, job } = begun({ count: 2, canaries: 1, strategy: { Reconcile: "keep_original" } });
    const canary = one(canariesOf(world, job));
    const older = one(world.live(job).filter((it) => it !== canary && it.NameIndex === 0));
    world.setStatus(older.NodeID, "disconnected");
    world.settle();
    expect(held(world, job)).toEqual(["0 v0", "0 v1", "1 v0"]);
    world.setStatus(older.NodeID, "ready");
    world.report(older, "running");
    world.settle();
    expect([older.holdsName, world.live(job).length, held(world, job)]).toEqual([true, 3, ["0 v0", "0 v1", "1 v0"]]);
    expect(violations(world.state)).toEqual([]);
  });

  it("not to be replaced, not healthy yet: counts as under way until it is back", () => {
    const { world, job } = begun({ count: 2, canaries: 0, strategy: { Replace: false } });
    const first = one(world.live(job).filter(({ Job }) => Job.Version === 1));
    world.report(first, "running");
    world.setStatus(first.NodeID, "disconnected");
    world.settle();
    expect(world.live(job).map(({ Job }) => Job.Version)).toContain(0);
    expect(first.ClientStatus).toBe("unknown");
    world.setStatus(first.NodeID, "ready");
    world.report(first, "running");
    world.settle();
    world.rollOut(job);
    expect(held(world, job)).toEqual(["0 v1", "1 v1"]);
    expect(world.live(job)).toContain(first);
  });

  it("a canary's, not to be replaced, gives it up in the end: one canary follows it, whichever evaluation comes first", () => {
    const { world, job } = begun({ count: 2, canaries: 2, strategy: { Replace: false } });
    const [first, second] = canariesOf(world, job) as [AllocationView, AllocationView];
    world.report(first, "running");
    world.report(second, "running");
    for (const { NodeID } of [first, second]) {
      world.setStatus(NodeID, "disconnected");
      world.settle();
    }
    world.now += 700 * SECOND;
    world.settle();
    expect(held(world, job)).toEqual(["0 v0", "0 v1", "1 v0", "1 v1"]);
    expect(
      canariesOf(world, job)
        .map(({ PreviousAllocation }) => PreviousAllocation)
        .sort(),
    ).toEqual([first.ID, second.ID].sort());
  });

  it("a canary's, replaced, and then given up: its replacement stays the only one", () => {
    const { world, job } = begun({ count: 1, canaries: 2, strategy: {} });
    const [first] = canariesOf(world, job) as [AllocationView];
    world.report(first, "running");
    world.setStatus(first.NodeID, "disconnected");
    world.settle();
    const before = held(world, job);
    world.now += 700 * SECOND;
    world.settle();
    expect(first.ClientStatus).toBe("lost");
    expect([held(world, job), canariesOf(world, job).length]).toEqual([before, 2]);
  });

  it("a canary's node drains: moved as a canary, under its name", () => {
    const { world, job } = begun({ count: 2, canaries: 1, strategy: {} });
    const canary = one(canariesOf(world, job));
    world.drain(canary.NodeID);
    world.migrate(canary);
    world.settle();
    const moved = one(canariesOf(world, job));
    expect([moved.PreviousAllocation, moved.NameIndex]).toEqual([canary.ID, canary.NameIndex]);
    expect(world.deployment(job).TaskGroups.web?.PlacedCanaries).toEqual([canary.ID, moved.ID]);
  });
});

const event = fc.record({
  kind: fc.constantFrom(
    "disconnected",
    "disconnected",
    "ready",
    "ready",
    "healthy",
    "speak",
    "promote",
    "pass",
    "drain",
  ),
  which: fc.nat(20),
});

describe("any rollout on nodes that are cut off, drain and come back", () => {
  it(
    "never two that hold one name but a canary; in the end all are healthy and of the new version",
    () => {
      const given = fc.record({
        ...{ seed: fc.nat(), count: fc.integer({ min: 1, max: 6 }), canaries: fc.integer({ min: 0, max: 3 }) },
        Reconcile: fc.constantFrom("best_score", "keep_original", "keep_replacement", "longest_running"),
        ...{ Replace: fc.boolean(), events: fc.array(event, { maxLength: 30 }) },
      });
      fc.assert(
        fc.property(given, ({ seed, count, canaries, Reconcile, Replace, events }) => {
          const { world, job } = begun({ seed, count, canaries, strategy: { Reconcile, Replace } });
          for (const { kind, which } of events) {
            happen(world, job, kind, which);
            world.settle();
            expect(violations(world.state)).toEqual([]);
          }
          for (const node of nodesOf(world)) world.setStatus(node, "ready");
          for (let round = 0; round < 40; round++) {
            world.now += 10 * SECOND;
            finish(world, job);
          }
          expect(violations(world.state)).toEqual([]);
          // Where more canaries than the count were tried, the names that stay may be any of theirs.
          const standing = world.live(job).filter(({ holdsName }) => holdsName);
          expect(standing.map(({ Job }) => Job.Version)).toEqual(Array(count).fill(1));
          expect([world.live(job).length, world.deployment(job).Status]).toEqual([count, "successful"]);
        }),
        { numRuns: RUNS },
      );
    },
    PATIENCE_MS,
  );
});

const nodesOf = (world: World) => [...world.state.nodes.slotOf.keys()].sort();

function happen(
  world: World,
  job: Job,
  kind: (typeof event extends fc.Arbitrary<infer E> ? E : never)["kind"],
  n: number,
) {
  const nodes = nodesOf(world);
  const node = nodes[n % nodes.length] ?? "";
  const reachable = world.live(job).filter((it) => world.state.nodes.get(it.NodeID)?.Status === "ready");
  const allocation = reachable[n % reachable.length];
  if (kind === "disconnected" || kind === "ready") world.setStatus(node, kind);
  else if (kind === "promote") world.promote(job);
  else if (kind === "pass") world.now += (n % 4) * 250 * SECOND;
  else if (kind === "drain" && allocation !== undefined) world.migrate(allocation);
  else if (allocation !== undefined) world.report(allocation, "running", {}, kind === "healthy" ? true : undefined);
  world.evaluate(job);
}

function finish(world: World, job: Job): void {
  world.settle();
  world.heal(job);
  world.settle();
  world.promote(job);
  world.settle();
}
