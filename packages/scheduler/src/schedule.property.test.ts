// biome-ignore-all lint/suspicious/noTemplateCurlyInString: targets of constraints
import { SECOND } from "@steppe/model";
import { mockBatchJob, mockJob, mockNode, mockSystemJob } from "@steppe/model/internal";
import { type Constraint, type Job, NetworkResource, type Node, Plan, RequestedDevice } from "@steppe/proto";
import type { AllocationView } from "@steppe/state";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { schedule } from "./schedule.ts";
import { brokenConstraints, violations } from "./testing/invariants.ts";
import { seededRandom } from "./testing/random.ts";
import { World } from "./testing/world.ts";

/** More by environment: STEPPE_PROPERTY_RUNS=5000. */
const RUNS = Number(process.env.STEPPE_PROPERTY_RUNS ?? 300);

interface JobShape {
  readonly type: "service" | "batch" | "system";
  readonly count: number;
  readonly cpu: number;
  readonly memory: number;
  readonly constraint: Constraint | undefined;
  readonly ports: "none" | "static" | "dynamic" | "both";
  readonly gpus: number;
  /** In place of MHz. */
  readonly cores: number;
  readonly spread: boolean;
  readonly affinity: boolean;
  readonly parallel: number;
  readonly retries: boolean;
  readonly canary: number;
}

const constraint = fc.constantFrom<Constraint | undefined>(
  undefined,
  undefined,
  { LTarget: "${meta.rack}", Operand: "=", RTarget: "r1" },
  { LTarget: "${meta.rack}", Operand: "!=", RTarget: "r0" },
  { LTarget: "${node.unique.name}", Operand: "regexp", RTarget: "[0-3]$" },
  { LTarget: "", Operand: "distinct_hosts", RTarget: "" },
  { LTarget: "${meta.rack}", Operand: "distinct_property", RTarget: "2" },
);

const shape: fc.Arbitrary<JobShape> = fc.record({
  type: fc.constantFrom("service", "service", "batch", "system"),
  count: fc.integer({ min: 0, max: 9 }),
  cpu: fc.constantFrom(100, 400, 900, 2_000),
  memory: fc.constantFrom(64, 512, 3_000),
  constraint,
  ports: fc.constantFrom("none", "none", "static", "dynamic", "both"),
  gpus: fc.constantFrom(0, 0, 0, 1, 2),
  cores: fc.constantFrom(0, 0, 0, 1, 3),
  spread: fc.boolean(),
  affinity: fc.boolean(),
  parallel: fc.integer({ min: 0, max: 3 }),
  retries: fc.boolean(),
  canary: fc.constantFrom(0, 0, 1, 2),
});

function jobOf(shape: JobShape, i: number): Job {
  const make = { service: mockJob, batch: mockBatchJob, system: mockSystemJob }[shape.type];
  const job = make({ ID: `job-${i}`, Constraints: shape.constraint === undefined ? [] : [shape.constraint] });
  for (const group of job.TaskGroups) {
    if (shape.type !== "system") group.Count = shape.count;
    if (group.Update !== undefined) Object.assign(group.Update, { MaxParallel: shape.parallel, Canary: shape.canary });
    if (shape.retries && shape.type !== "system") {
      const policy = {
        Attempts: 0,
        Interval: 0,
        Delay: 5 * SECOND,
        DelayFunction: "constant",
        MaxDelay: 0,
        Unlimited: true,
      };
      group.ReschedulePolicy = policy;
    }
    const [CPU, Cores] = shape.cores > 0 ? [0, shape.cores] : [shape.cpu, 0];
    for (const { Resources } of group.Tasks) Object.assign(Resources ?? {}, { CPU, Cores, MemoryMB: shape.memory });
    if (shape.type !== "system") {
      group.Spreads = shape.spread ? [{ Attribute: "${meta.rack}", Weight: 70, SpreadTarget: [] }] : [];
      group.Affinities = shape.affinity ? [{ LTarget: "${meta.rack}", Operand: "=", RTarget: "r1", Weight: -40 }] : [];
    }
    group.Networks = networksOf(shape.ports);
    const gpus = RequestedDevice.create({ Name: "gpu", Count: shape.gpus });
    for (const { Resources } of group.Tasks) if (shape.gpus > 0) Resources?.Devices.push(gpus);
  }
  return job;
}

const STATIC_PORT = 8080;

function networksOf(ports: JobShape["ports"]): NetworkResource[] {
  const ReservedPorts = ports === "static" || ports === "both" ? [{ Label: "fixed", Value: STATIC_PORT }] : [];
  const DynamicPorts = ports === "dynamic" || ports === "both" ? [{ Label: "a" }, { Label: "b" }] : [];
  return ports === "none" ? [] : [NetworkResource.create({ ReservedPorts, DynamicPorts })];
}

/** Dynamic ports and devices are scarce: 5 and 3. */
function nodeOf(i: number): Node {
  const gpus = { Type: "gpu", Name: "g", Instances: [0, 1, 2].map((n) => ({ ID: `g${n}`, Healthy: true })) };
  const scarce = { MinDynamicPort: 20_000, MaxDynamicPort: 20_005, Devices: [gpus] };
  return mockNode(
    {
      Meta: { rack: `r${i % 3}` },
      NodeResources: { ...mockNode().NodeResources, ...scarce },
      ReservedResources: { ...mockNode().ReservedResources, Networks: { ReservedHostPorts: "22,20005" } },
    },
    i,
  );
}

/** A step of a cluster's history; numbers are taken modulo what there is. */
type Step =
  | { readonly kind: "register"; readonly which: number; readonly shape: JobShape; readonly env: number }
  | {
      readonly kind: "deregister" | "evaluate" | "down" | "ready" | "add" | "purge" | "ineligible";
      readonly which: number;
    }
  | { readonly kind: "report"; readonly which: number; readonly status: string }
  | { readonly kind: "health"; readonly which: number; readonly healthy: boolean }
  | { readonly kind: "heal" | "promote" | "pause" | "resume" | "fail" | "let-go"; readonly which: number }
  | { readonly kind: "pass"; readonly seconds: number };

const which = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("register" as const), which: fc.nat(3), shape, env: fc.nat(2) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("report" as const),
      which,
      status: fc.constantFrom("running", "failed", "failed", "complete"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("health" as const), which, healthy: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("heal", "heal", "promote", "promote", "pause", "resume", "fail", "let-go"),
      which,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("pass" as const), seconds: fc.constantFrom(1, 6, 40) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("deregister", "evaluate", "down", "ready", "add", "purge", "ineligible"),
      which,
    }),
  },
);

function take(world: World, step: Step): void {
  const nodes = [...world.state.nodes.slotOf.keys()].sort();
  const node = "which" in step ? nodes[step.which % nodes.length] : undefined;
  const jobs = [...world.state.jobs.byKey.values()].map(({ job }) => job);
  const job = "which" in step ? jobs[step.which % jobs.length] : undefined;
  switch (step.kind) {
    case "register": {
      const spec = jobOf(step.shape, step.which);
      for (const task of spec.TaskGroups.flatMap(({ Tasks }) => Tasks)) task.Env = { ENV: String(step.env) };
      const before = world.state.jobs.get(spec.Namespace, spec.ID)?.job;
      if (before === undefined || before.Type === spec.Type) world.register(spec);
      return;
    }
    case "deregister":
      if (job !== undefined) world.deregister(job, step.which % 2 === 0);
      return;
    case "evaluate":
      if (job !== undefined) world.evaluate(job, step.which % 2 === 0);
      return;
    case "down":
    case "ready":
      if (node !== undefined) world.setStatus(node, step.kind);
      return;
    case "ineligible":
      if (node !== undefined) world.setEligibility(node, step.which % 2 === 0 ? "ineligible" : "eligible");
      return;
    case "add":
      world.addNodes(nodeOf(10 + (step.which % 5)));
      return;
    case "purge":
      if (node !== undefined && nodes.length > 1) world.run({ $case: "DeregisterNodes", value: { NodeIDs: [node] } });
      return;
    case "report": {
      const live = [...world.state.allocations.byId.values()].filter((it) => !it.terminal);
      const allocation = live[step.which % live.length];
      if (allocation !== undefined) world.report(allocation, step.status);
      return;
    }
    case "health": {
      const live = [...world.state.allocations.byId.values()].filter((it) => !it.terminal && it.DeploymentID !== "");
      const it = live[step.which % live.length];
      if (it !== undefined) world.report(it, step.healthy ? "running" : "failed", {}, step.healthy);
      return;
    }
    case "heal":
      if (job !== undefined) for (const it of world.live(job)) world.report(it, "running", {}, true);
      if (job !== undefined) world.evaluate(job);
      return;
    case "let-go":
      world.mayReplace(
        ...[...world.state.allocations.byId.values()].filter((it) => it.DeploymentStatus?.Healthy === false),
      );
      return;
    case "promote":
    case "pause":
    case "resume":
    case "fail":
      if (job !== undefined) steer(world, job, step.kind);
      return;
    case "pass":
      world.now += step.seconds * SECOND;
  }
}

/** What a user does to a job's deployment; refusals change nothing. */
function steer(world: World, job: Job, how: "promote" | "pause" | "resume" | "fail"): void {
  const DeploymentID = world.state.deployments.latest(job.Namespace, job.ID)?.deployment.ID;
  if (DeploymentID === undefined) return;
  if (how === "promote") world.promote(job);
  else if (how !== "fail") world.run({ $case: "PauseDeployment", value: { DeploymentID, Pause: how === "pause" } });
  else {
    const value = { Term: 0, DeploymentID, StatusDescription: "", Rollback: false };
    world.run({ $case: "FailDeployment", value });
  }
}

const history = fc.record({
  seed: fc.nat(),
  nodes: fc.integer({ min: 1, max: 6 }),
  steps: fc.array(step, { maxLength: 25 }),
});

function begin({ seed, nodes }: { seed: number; nodes: number }): World {
  const world = new World(seed);
  world.addNodes(...Array.from({ length: nodes }, (_, i) => nodeOf(i)));
  return world;
}

describe("any history of a cluster", () => {
  it("no node over-committed, no name doubled, constraints hold, every evaluation ends", () => {
    fc.assert(
      fc.property(history, (given) => {
        const world = begin(given);
        for (const step of given.steps) {
          take(world, step);
          let known = world.state.index;
          for (let rounds = 0; ; rounds++) {
            const [next] = world.due();
            if (next === undefined) break;
            expect(rounds).toBeLessThan(50);
            world.process(next);
            expect(freshlyPlaced(world, known).flatMap((it) => brokenConstraints(world.state, it))).toEqual([]);
            known = world.state.index;
          }
          expect(violations(world.state)).toEqual([]);
        }
        world.unblock();
        expect(violations(world.state)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  it("same view, evaluation, time and random numbers: the same plan, with or without a cache", () => {
    fc.assert(
      fc.property(history, (given) => {
        const world = begin(given);
        for (const step of given.steps) {
          take(world, step);
          for (const next of world.due()) {
            const again = () => schedule(world.state, next, { now: world.now, random: seededRandom(given.seed) });
            const cached = { now: world.now, random: seededRandom(given.seed), cache: world.cache };
            expect(bytes(schedule(world.state, next, cached))).toEqual(bytes(again()));
          }
          world.settle();
        }
      }),
      { numRuns: Math.ceil(RUNS / 3) },
    );
  });

  it("workers that race on old states: nothing is broken, and each job comes to rest", () => {
    fc.assert(
      fc.property(history, fc.array(shape, { minLength: 2, maxLength: 4 }), (given, shapes) => {
        const world = begin(given);
        for (const step of given.steps) take(world, step);
        for (const [i, it] of shapes.entries()) world.register({ ...jobOf(it, 50 + i) });
        for (let round = 0; world.due().length > 0; round++) {
          expect(round).toBeLessThan(100);
          // One evaluation a job at a time, as the broker hands them out; all plans are of the same old state.
          const plans = onePerJob(world).map((it) => world.plan(it));
          for (const plan of plans) {
            world.apply(plan);
            expect(violations(world.state)).toEqual([]);
          }
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("as many of the count are placed as brute force finds places for, at once or in two steps", () => {
    const twice = { first: fc.integer({ min: 0, max: 9 }), rules: fc.uniqueArray(constraint, { maxLength: 2 }) };
    fc.assert(
      fc.property(history, shape, fc.record(twice), (given, wanted, { first, rules }) => {
        const world = begin(given);
        for (const step of given.steps) take(world, step);
        world.settle();
        const job = jobOf({ ...wanted, type: "service", parallel: 0, canary: 0 }, 99);
        job.Constraints = rules.filter((it) => it !== undefined);
        const most = mostPlaces(world, job);
        for (const count of [Math.min(first, wanted.count), wanted.count]) {
          const spec = withCount(job, count);
          const plan = world.process(world.register(spec));
          expect(world.live(spec)).toHaveLength(Math.min(count, most));
          expect(plan.Result?.QueuedAllocations.web).toBe(Math.max(0, count - most));
        }
      }),
      { numRuns: RUNS },
    );
  });
});

/** A rollout: which of the not yet healthy turns healthy next, or what else happens. */
const rollout = fc.record({
  seed: fc.nat(),
  count: fc.integer({ min: 1, max: 8 }),
  parallel: fc.integer({ min: 1, max: 4 }),
  canary: fc.integer({ min: 0, max: 3 }),
  events: fc.array(fc.oneof(fc.nat(9), fc.constantFrom("promote", "pause", "resume", "look", "down", "unhealthy")), {
    maxLength: 30,
  }),
});

describe("any rollout on a cluster with room", () => {
  const names = ({ live }: { live: readonly AllocationView[] }) => live.map(({ NameIndex }) => NameIndex).sort();

  it("ends with its count under its names, all of the new version and healthy", () => {
    fc.assert(
      fc.property(rollout, ({ seed, count, parallel, canary, events }) => {
        const { world, job } = beginRollout({ seed, count, parallel, canary });
        for (const event of events) {
          happen(world, job, event);
          world.settle();
          expect(violations(world.state)).toEqual([]);
        }
        for (let round = 0; world.deployment(job).Status !== "successful"; round++) {
          expect(round).toBeLessThan(60);
          finishRollout(world, job);
        }
        // One that was lost behind the end of the rollout is not part of it.
        world.heal(job);
        const live = world.live(job);
        expect(names({ live })).toEqual(Array.from({ length: count }, (_, i) => i));
        expect(live.every(({ Job, DeploymentStatus }) => Job.Version === 1 && DeploymentStatus?.Healthy)).toBe(true);
        expect(world.state.jobs.get(job.Namespace, job.ID)?.job.Stable).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  it("while nothing fails, at most MaxParallel of its count are not available", () => {
    const calm = fc.record({
      ...{ seed: fc.nat(), count: fc.integer({ min: 1, max: 8 }) },
      ...{ parallel: fc.integer({ min: 1, max: 4 }), canary: fc.integer({ min: 0, max: 3 }) },
      events: fc.array(fc.oneof(fc.nat(9), fc.constantFrom("promote", "pause", "resume", "look")), { maxLength: 40 }),
    });
    fc.assert(
      fc.property(calm, ({ seed, count, parallel, canary, events }) => {
        const { world, job } = beginRollout({ seed, count, parallel, canary });
        for (const event of events) {
          happen(world, job, event);
          world.settle();
          const available = world
            .live(job)
            .filter((it) => it.Job.Version === 0 || it.DeploymentStatus?.Healthy === true);
          expect(available.length).toBeGreaterThanOrEqual(count - parallel);
        }
      }),
      { numRuns: RUNS },
    );
  });
});

/** A job whose first version is rolled out and whose second is registered. */
function beginRollout({
  seed,
  count,
  parallel,
  canary,
}: {
  seed: number;
  count: number;
  parallel: number;
  canary: number;
}) {
  const world = new World(seed);
  world.addNodes(...Array.from({ length: 8 }, (_, i) => nodeOf(i)));
  const shape = {
    type: "service",
    count,
    cpu: 100,
    memory: 64,
    constraint: undefined,
    ports: "none",
    ...{ gpus: 0, cores: 0, spread: false, affinity: false },
    parallel,
    retries: true,
  } as const;
  const job = jobOf({ ...shape, canary }, 0);
  world.process(world.register(job));
  world.rollOut(job);
  world.process(world.register({ ...job, Meta: { changed: "yes" } }));
  return { world, job };
}

function happen(world: World, job: Job, event: number | string): void {
  const open = world.live(job).filter((it) => it.Job.Version === 1 && it.DeploymentStatus?.Healthy === undefined);
  const chosen = open[typeof event === "number" ? event % open.length : 0];
  if (typeof event === "number" && chosen !== undefined) world.report(chosen, "running", {}, true);
  if (event === "unhealthy" && chosen !== undefined) {
    world.report(chosen, "failed", {}, false);
    world.mayReplace(chosen);
  }
  // Three may go: the others have room for all.
  const ready = [...world.state.nodes.slotOf.keys()].filter((id) => world.state.nodes.get(id)?.Status === "ready");
  if (event === "down" && ready.length > 5) world.setStatus(ready.sort()[0] ?? "", "down");
  if (event === "promote" || event === "pause" || event === "resume") steer(world, job, event);
  world.now += 6 * SECOND;
  world.evaluate(job);
}

function finishRollout(world: World, job: Job): void {
  if (world.deployment(job).Status === "paused") steer(world, job, "resume");
  world.now += 10 * SECOND;
  world.settle();
  world.heal(job);
  world.promote(job);
  world.settle();
}

function freshlyPlaced(world: World, after: number): AllocationView[] {
  return [...world.state.allocations.byId.values()].filter(
    ({ CreateIndex, terminal }) => CreateIndex > after && !terminal,
  );
}

const bytes = (plan: Plan): string => Buffer.from(Plan.encode(plan).finish()).toString("hex");

function onePerJob(world: World) {
  return [...new Map(world.due().map((it) => [it.JobID, it])).values()];
}

const withCount = (job: Job, count: number): Job => ({
  ...job,
  TaskGroups: job.TaskGroups.map((group) => ({ ...group, Count: count })),
});

/** The most allocations of a job's one group that any way to place them gives, found by trying every one. None is placed yet. */
function mostPlaces(world: World, job: Job): number {
  const count = job.TaskGroups[0]?.Count ?? 0;
  const open = [...world.state.nodes.slotOf.values()].filter((slot) => world.state.nodes.usable[slot] === 1);
  let most = 0;
  const choose = (at: number, placed: readonly number[]): void => {
    if (!keepsRules(world, job, placed)) return;
    most = Math.max(most, placed.length);
    const slot = open[at];
    if (slot === undefined || most === count) return;
    for (let times = count - placed.length; times >= 0; times--) {
      if (hasRoom(world, slot, job, times)) choose(at + 1, [...placed, ...Array<number>(times).fill(slot)]);
    }
  };
  choose(0, []);
  return most;
}

/** What the constraints say of allocations in these slots. */
function keepsRules(world: World, { Constraints }: Job, placed: readonly number[]): boolean {
  const nodes = placed.map((slot) => world.state.nodes.nodes[slot] as Node);
  const mostAlike = (key: (node: Node) => string) =>
    Math.max(0, ...[...Map.groupBy(nodes, key).values()].map(({ length }) => length));
  return Constraints.every(({ Operand }) => {
    switch (Operand) {
      case "distinct_hosts":
        return mostAlike(({ ID }) => ID) <= 1;
      case "distinct_property":
        return mostAlike(({ Meta }) => Meta.rack ?? "") <= 2;
      case "=":
        return nodes.every(({ Meta }) => Meta.rack === "r1");
      case "!=":
        return nodes.every(({ Meta }) => Meta.rack !== "r0");
      default:
        return nodes.every(({ Name }) => /[0-3]$/.test(Name));
    }
  });
}

/** Room for so many more of the job's allocations, and enough ports, devices and cores that no live one has. */
function hasRoom(world: World, slot: number, { TaskGroups }: Job, times: number): boolean {
  if (times === 0) return true;
  const { nodes } = world.state;
  const [group] = TaskGroups;
  const held = [...(nodes.allocations[slot] ?? [])].filter((it) => !it.terminal).map((it) => it.Claims);
  const ports = held.flatMap((it) => it?.Ports ?? []);
  const gpus = held.flatMap((it) => it?.Devices ?? []).flatMap((it) => it.DeviceIDs);
  const cores = held.flatMap((it) => it?.Cores ?? []);
  const { Devices = [], Cores = 0, CPU = 0, MemoryMB = 0 } = group?.Tasks[0]?.Resources ?? {};
  const { ReservedPorts = [], DynamicPorts = [] } = group?.Networks[0] ?? {};
  return (
    (nodes.usedCpu[slot] ?? 0) + times * (CPU + 1_000 * Cores) <= (nodes.cpu[slot] ?? 0) &&
    (nodes.usedMemory[slot] ?? 0) + times * MemoryMB <= (nodes.memory[slot] ?? 0) &&
    (nodes.usedDisk[slot] ?? 0) + times * 150 <= (nodes.disk[slot] ?? 0) &&
    (ReservedPorts.length === 0 || (times === 1 && !ports.includes(STATIC_PORT))) &&
    ports.filter((port) => port !== STATIC_PORT).length + times * DynamicPorts.length <= 5 &&
    gpus.length + times * (Devices[0]?.Count ?? 0) <= 3 &&
    cores.length + times * Cores <= 4
  );
}
