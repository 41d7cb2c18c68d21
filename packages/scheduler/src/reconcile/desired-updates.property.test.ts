import { ALLOCATION_DESCRIPTIONS, SECOND } from "@steppe/model";
import { mockBatchJob, mockJob, mockNode, mockSystemJob } from "@steppe/model/internal";
import { Evaluation, type Job, type Plan } from "@steppe/proto";
import { withJob } from "@steppe/state";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { schedule } from "../schedule.ts";
import { seededRandom } from "../testing/random.ts";
import { World } from "../testing/world.ts";

const RUNS = Number(process.env.STEPPE_PROPERTY_RUNS ?? 200);
/** More runs may take longer, also on a busy machine. */
const PATIENCE_MS = 60_000 + 300 * RUNS;

interface Shape {
  readonly type: "service" | "batch" | "system";
  readonly groups: readonly { readonly count: number; readonly env: number; readonly cpu: number }[];
  readonly parallel: number;
  readonly canaries: number;
}

const shape = (type: fc.Arbitrary<Shape["type"]>): fc.Arbitrary<Shape> =>
  fc.record({
    type,
    groups: fc.array(fc.record({ count: fc.nat(6), env: fc.nat(2), cpu: fc.constantFrom(100, 900, 2_500) }), {
      minLength: 1,
      maxLength: 2,
    }),
    parallel: fc.nat(3),
    canaries: fc.nat(2),
  });

function jobOf({ type, groups, parallel, canaries }: Shape): Job {
  const job = { service: mockJob, batch: mockBatchJob, system: mockSystemJob }[type]({ ID: "planned" });
  const [group] = job.TaskGroups;
  if (group === undefined) throw new Error("no group");
  const TaskGroups = groups.map(({ count, env, cpu }, n) => ({
    ...group,
    Name: `g${n}`,
    Count: type === "system" ? 1 : count,
    Update: group.Update && { ...group.Update, MaxParallel: parallel, Canary: type === "service" ? canaries : 0 },
    Tasks: group.Tasks.map((task) => ({
      ...task,
      Env: { ENV: String(env) },
      Resources: task.Resources && { ...task.Resources, CPU: cpu },
    })),
  }));
  return { ...job, TaskGroups };
}

const history = fc.constantFrom<Shape["type"]>("service", "service", "batch", "system").chain((type) =>
  fc.record({
    before: fc.array(shape(fc.constant(type)), { maxLength: 2 }),
    next: shape(fc.constant(type)),
    reports: fc.array(fc.record({ which: fc.nat(20), status: fc.constantFrom("running", "failed", "complete") }), {
      maxLength: 5,
    }),
    down: fc.option(fc.nat(3), { nil: undefined }),
    seed: fc.nat(),
  }),
);

type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

function lived({ before, reports, down, seed }: History): World {
  const world = new World(seed);
  world.addNodes(...[0, 1, 2, 3].map((n) => mockNode({}, n)));
  for (const it of before) {
    world.register(jobOf(it));
    world.settle();
  }
  for (const { which, status } of reports) {
    const live = [...world.state.allocations.byId.values()].filter((it) => !it.terminal);
    const allocation = live[which % live.length];
    if (allocation !== undefined) world.report(allocation, status);
  }
  if (down !== undefined) world.setStatus(mockNode({}, down).ID, "down");
  world.now += 2 * SECOND;
  return world;
}

describe("a planned registration", () => {
  it(
    "any history: changes nothing, and says what the registration then does",
    () => {
      fc.assert(
        fc.property(history, (given) => {
          const world = lived(given);
          const job = jobOf(given.next);
          const before = [world.state.digest.value, world.state.index];
          const dry = planned(world, job, given.seed);
          expect([world.state.digest.value, world.state.index]).toEqual(before);
          const evaluation = world.register(job);
          const real = schedule(world.state, evaluation, { now: world.now, random: seededRandom(given.seed) });
          world.apply(real);
          expect(dry.Result?.QueuedAllocations).toEqual(real.Result?.QueuedAllocations);
          expect(Object.keys(dry.Result?.FailedTGAllocs ?? {})).toEqual(Object.keys(real.Result?.FailedTGAllocs ?? {}));
          expect(counted(dry)).toEqual(effects(world, real));
        }),
        { numRuns: RUNS },
      );
    },
    PATIENCE_MS,
  );
});

function planned(world: World, job: Job, seed: number): Plan {
  const overlay = withJob(world.state, job);
  const evaluation = Evaluation.create({
    ...{ ID: "plan", Namespace: job.Namespace, JobID: job.ID, Type: job.Type, Priority: job.Priority },
    ...{ TriggeredBy: "job-register", Status: "pending", AnnotatePlan: true },
  });
  return schedule(overlay, evaluation, { now: world.now, random: seededRandom(seed) });
}

/** What was placed or waits counts as one: which of the wanted find no place, the counts do not say. */
function counted({ Result }: Plan) {
  const groups = Object.entries(Result?.Annotations?.DesiredTGUpdates ?? {}).map(([name, it]) => {
    const wanted = it.Place + it.Migrate + it.DestructiveUpdate + it.Canary;
    return [name, { wanted, stopped: it.Stop, inPlace: it.InPlaceUpdate }] as const;
  });
  const nothing = (it: object) => Object.values(it).every((count) => count === 0);
  return Object.fromEntries(groups.filter(([, it]) => !nothing(it)));
}

/** The same, taken from what the plan did. */
function effects(world: World, plan: Plan) {
  const groups: Record<string, { wanted: number; stopped: number; inPlace: number }> = {};
  const of = (name: string) => {
    groups[name] ??= { wanted: 0, stopped: 0, inPlace: 0 };
    return groups[name];
  };
  const apart: readonly string[] = [
    ALLOCATION_DESCRIPTIONS.updating,
    ALLOCATION_DESCRIPTIONS.migrating,
    ALLOCATION_DESCRIPTIONS.rescheduled,
  ];
  for (const { AllocIDs, DesiredDescription } of plan.Stops) {
    if (apart.includes(DesiredDescription)) continue;
    for (const id of AllocIDs) of(world.state.allocations.get(id)?.TaskGroup ?? "").stopped += 1;
  }
  for (const { TaskGroup, NameIndexes } of plan.Placements) of(TaskGroup).wanted += NameIndexes.length;
  for (const [name, waiting] of Object.entries(plan.Result?.QueuedAllocations ?? {})) {
    if (waiting > 0) of(name).wanted += waiting;
  }
  for (const { TaskGroup, AllocIDs } of plan.InPlaceUpdates) of(TaskGroup).inPlace += AllocIDs.length;
  return groups;
}
