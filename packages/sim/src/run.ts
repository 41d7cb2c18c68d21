/** One run: a world, its faults and its clients follow from the seed; the judges tell what was wrong. */
import { judge, unserved, unsettled } from "./checks/end.ts";
import { drawFaults, type Fault, Faults } from "./faults/faults.ts";
import { seededRandom } from "./kernel/random.ts";
import { Workload } from "./workload/workload.ts";
import { type Parts, REAL_PARTS } from "./world/parts.ts";
import { type Failure, type RegionShape, World, type WorldOptions } from "./world/world.ts";

export interface Plan {
  readonly seed: number;
  readonly world: Omit<WorldOptions, "parts" | "verbose">;
  /** Faults and clients end then. */
  readonly calmMs: number;
  readonly faults: readonly Fault[];
}

export interface RunResult {
  readonly failures: readonly Failure[];
  /** Equal for equal runs. */
  readonly digest: number;
  readonly events: number;
  /** Virtual milliseconds. */
  readonly tookMs: number;
  readonly entries: number;
  readonly operations: number;
  readonly blockingAnswers: number;
  readonly launches: number;
  readonly terms: number;
  readonly rebuilds: number;
  readonly trace: readonly string[];
}

export interface RunOptions {
  readonly parts?: Parts;
  readonly verbose?: boolean;
}

const BEGIN_MS = 2500;
/** Nothing is judged before, so that calm periods have ticks in them. */
const CALM_LEAST_MS = 26_000;
const CALM_MOST_MS = 120_000;
const STEP_MS = 1000;
/** Of a log that was lost, once all servers are there. */
const REBUILD_MOST_MS = 40_000;

export function planOf(seed: number): Plan {
  const random = seededRandom(`plan ${seed}`);
  const regions: RegionShape[] = [
    { name: "eu", servers: random.pick([1, 2, 3, 3, 3]), workers: random.below(2), nodes: 3 + random.below(2) },
  ];
  if (random.chance(0.3)) regions.push({ name: "us", servers: 1 + random.below(2), workers: 0, nodes: 2 });
  const durability = random.child("durability").chance(0.6) ? "journal" : "log";
  const calmMs = Math.round(random.between(10_000, 28_000));
  return {
    seed,
    world: {
      seed,
      regions,
      // Little room makes plans of different workers meet.
      nodeCpu: random.pick([1500, 1500, 4000]),
      server: {
        snapshotEntries: random.pick([40, 150, 100_000]),
        numSchedulers: random.pick([1, 2]),
        durability,
      },
      skewMs: random.pick([0, 50, 5000]),
      drift: random.pick([0, 0.001, 0.02]),
    },
    calmMs,
    faults: drawFaults(random.child("faults"), regions, durability, BEGIN_MS, calmMs),
  };
}

export async function run(plan: Plan, { parts = REAL_PARTS, verbose = false }: RunOptions = {}): Promise<RunResult> {
  const world = new World({ ...plan.world, parts, verbose });
  const faults = new Faults(world, plan.faults);
  const workload = new Workload(world);
  const { kernel } = world;
  const hasFailed = () => world.failures.length > 0;
  // A process of Node ends on these.
  const unhandled = (error: unknown) =>
    world.fail("unhandled rejection", error instanceof Error ? (error.stack ?? "") : String(error));
  process.on("unhandledRejection", unhandled);
  world.start();
  kernel.at(1500, "clients begin", () => workload.start(plan.calmMs));
  await kernel.runUntil(plan.calmMs, hasFailed);
  faults.heal();
  const isServed = () => world.regions.every((region) => unserved(region).length === 0);
  while (!hasFailed() && kernel.nowMs < plan.calmMs + REBUILD_MOST_MS && !isServed()) {
    await kernel.runUntil(kernel.nowMs + STEP_MS, hasFailed);
  }
  const calmMs = kernel.nowMs;
  workload.restoreNodes();
  await kernel.runUntil(calmMs + CALM_LEAST_MS, hasFailed);
  const isQuiet = () => workload.isDone && unsettled(world).length === 0;
  while (!hasFailed() && kernel.nowMs < calmMs + CALM_MOST_MS && !isQuiet()) {
    await kernel.runUntil(kernel.nowMs + STEP_MS, hasFailed);
  }
  if (!hasFailed()) judge(world, workload, calmMs);
  for (const machine of world.machines) machine.life?.end();
  process.off("unhandledRejection", unhandled);
  return {
    failures: world.failures,
    digest: kernel.digest,
    events: kernel.events,
    tookMs: kernel.nowMs,
    entries: world.regions.reduce((sum, { logs }) => sum + (logs.newest?.lastIndex ?? 0), 0),
    operations: workload.history.length,
    blockingAnswers: world.blocking.judged,
    launches: world.regions.reduce((sum, { witness }) => sum + witness.launches.length, 0),
    terms: world.regions.reduce((sum, { witness }) => sum + (witness.state.lease?.Term ?? 0), 0),
    rebuilds: world.regions.reduce((sum, { witness }) => sum + witness.rebuilds, 0),
    trace: world.trace,
  };
}
