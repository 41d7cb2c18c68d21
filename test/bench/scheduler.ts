// biome-ignore-all lint/suspicious/noTemplateCurlyInString: targets of constraints
// What one placement costs the scheduler: `schedule()` whole, the plan's columns included.
import type { Job } from "@steppe/proto";
import { createRandom } from "@steppe/runtime";
import { schedule, VerdictCache } from "@steppe/scheduler";
import type { State } from "@steppe/state";
import { median, type Scenario, type Spread, type Table } from "./scenario.ts";
import { dynamicPorts, jobOf, machine, register, stateWith } from "./world.ts";

export const NODES = [1_000, 5_000, 10_000] as const;
const COUNTS = [1_000, 10_000] as const;
/** For how the cost grows: as many placements as nodes, so that what a pass does once a node is the same share of each. */
const GROWTH = [1_000, 2_000, 5_000, 10_000] as const;
const GROWING: readonly string[] = ["plain", "one dynamic port", "distinct_hosts", "affinity", "batch, plain"];
const RUNS = 21;
/** Until a cell's own columns and cache are there. */
const WARM_UP = 5;
/** Passes of every variant before the first is measured, as in a worker that has run for a few seconds: no row pays for the compiler. */
const COMPILE_RUNS = 15;

interface Variant {
  readonly name: string;
  readonly job: Partial<Job>;
  /** One allocation a node at most. */
  readonly spreadsOut?: true;
  /** Dynamic ports that the group asks for. */
  readonly ports?: number;
}

const constraint = (LTarget: string, Operand: string, RTarget: string) => ({
  Constraints: [{ LTarget, Operand, RTarget }],
});
const spread = { Spreads: [{ Attribute: "${node.datacenter}", Weight: 100, SpreadTarget: [] }] };
const targets = [
  { Value: "dc1", Percent: 50 },
  { Value: "dc2", Percent: 30 },
];
const targeted = { Spreads: [{ Attribute: "${node.datacenter}", Weight: 100, SpreadTarget: targets }] };
const affinity = { Affinities: [{ LTarget: "${meta.half}", Operand: "=", RTarget: "a", Weight: 50 }] };

export const VARIANTS: readonly Variant[] = [
  { name: "plain", job: {} },
  { name: "one dynamic port", job: {}, ports: 1 },
  { name: "distinct_hosts", job: constraint("", "distinct_hosts", ""), spreadsOut: true },
  { name: "half filtered by unique attribute", job: constraint("${attr.unique.hostname}", "regexp", "[02468]$") },
  { name: "half filtered by class", job: constraint("${meta.half}", "=", "a") },
  { name: "spread over 3 datacenters, even", job: spread },
  { name: "spread over 3 datacenters, targets", job: targeted },
  { name: "affinity", job: affinity },
  { name: "batch, plain", job: { Type: "batch" } },
  { name: "batch, one dynamic port", job: { Type: "batch" }, ports: 1 },
  { name: "batch, spread over 3 datacenters", job: { Type: "batch", ...spread } },
  { name: "batch, affinity", job: { Type: "batch", ...affinity } },
];

export const scheduler: Scenario = {
  name: "scheduler",
  summary: "nanoseconds a placement over 1,000 to 10,000 nodes, plain and with each kind of rule",
  run() {
    const rows: Table["rows"] = VARIANTS.map(({ name }) => [name]);
    const first = cluster(NODES[0]);
    for (const variant of VARIANTS) measure(first, NODES[0], COUNTS[0], variant, COMPILE_RUNS);
    for (const nodes of NODES) {
      const state = cluster(nodes);
      VARIANTS.forEach((variant, i) => {
        for (const count of COUNTS) rows[i]?.push(measure(state, nodes, count, variant));
      });
    }
    const columns = ["", ...NODES.flatMap((nodes) => COUNTS.map((count) => `${nodes} × ${count}`))];
    return Promise.resolve([{ title: "Scheduler: ns a placement, nodes × count", columns, rows }, growth()]);
  },
};

function growth(): Table {
  const variants = VARIANTS.filter(({ name }) => GROWING.includes(name));
  const rows: Table["rows"] = variants.map(({ name }) => [name]);
  for (const nodes of GROWTH) {
    const state = cluster(nodes);
    variants.forEach((variant, i) => void rows[i]?.push(measure(state, nodes, nodes, variant)));
  }
  const columns = ["", ...GROWTH.map((nodes) => `${nodes} × ${nodes}`)];
  return { title: "Scheduler: ns a placement, as many placements as nodes", columns, rows };
}

const cluster = (nodes: number): State =>
  stateWith(
    Array.from({ length: nodes }, (_, i) =>
      machine(i, { Datacenter: `dc${(i % 3) + 1}`, Meta: { half: i % 2 === 0 ? "a" : "b" } }),
    ),
  );

/** The plan is not committed, so every run finds the cluster empty. */
function measure(state: State, nodes: number, count: number, variant: Variant, runs = RUNS): Spread | string {
  const { name, job, spreadsOut, ports } = variant;
  if (spreadsOut && count > nodes) return "–";
  const id = `${name} ${count}`;
  const fields = { Datacenters: ["*"], ...job };
  const spec = jobOf(id, [[20, 30, count]], fields);
  for (const group of spec.TaskGroups) if (ports !== undefined) group.Networks = [dynamicPorts(ports)];
  const evaluation = state.evaluations.get(register(state, spec));
  if (evaluation === undefined) throw new Error("no evaluation");
  const random = createRandom();
  const cache = new VerdictCache();
  const times = Array.from({ length: WARM_UP + runs }, () => {
    const start = performance.now();
    const plan = schedule(state, evaluation, { now: 3e9, random, cache });
    const ns = ((performance.now() - start) * 1e6) / count;
    const placed = plan.Placements[0]?.NameIndexes.length ?? 0;
    if (placed !== count) throw new Error(`${id} on ${nodes} nodes: placed ${placed}`);
    return ns;
  });
  return median(times.slice(WARM_UP));
}
