// Thirty containers in three regions, broken one way after the other while clients write and read.
//
// What must hold everywhere is asserted: nothing lost, nothing doubled, histories linearizable, everything running
// again. Times depend on the machine, which may run thirty processes on two cores: they are printed, met
// or missed, and asserted with the slack that STEPPE_TARGET_SLACK gives (10 unless set).
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DockerCluster, REGIONS, type Region } from "./cluster.ts";
import { dashboardPanels, scraped, seriesOfDashboard } from "./dashboard.ts";
import { buildImages, findEngine } from "./engine.ts";
import { describeOutcome, runScenario } from "./run-scenario.ts";
import { SCENARIOS } from "./scenarios.ts";

const SLACK = Number(process.env.STEPPE_TARGET_SLACK ?? 10);
/** Of each kind of fault the one that asks most. All of them: STEPPE_DOCKER_SELECTION=all, or `npm run chaos`. */
const SELECTIONS: Readonly<Record<string, readonly string[]>> = {
  short: ["kill -9 the lease holder", "kill -9 the stream leader", "kill -9 a whole region"],
  usual: [
    "kill -9 a server",
    "kill -9 the lease holder",
    "kill -9 a worker in mid-evaluation",
    "kill -9 the stream leader",
    "kill -9 all NATS nodes of a region",
    "kill -9 a node agent",
    "kill -9 a whole region",
    "pause all servers of a region",
    "partition a region from the others",
    "partition the lease holder from NATS",
    "drain a node",
  ],
};
const selection = SELECTIONS[process.env.STEPPE_DOCKER_SELECTION ?? "usual"] ?? SCENARIOS.map(({ name }) => name);

let cluster: DockerCluster | undefined;
beforeAll(async () => {
  process.env.DOCKER_HOST = findEngine();
  buildImages("dev", process.env.STEPPE_DOCKER_KEEP_IMAGES === undefined);
  cluster = await DockerCluster.up();
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

describe("three regions in containers", () => {
  it("Prometheus as deploy/ has it: reaches every server and node agent, and every query of the dashboard has series", async () => {
    const all = REGIONS.flatMap((region) =>
      ["server-1", "server-2", "server-3", "client-1", "client-2"].map((it) => `${region}-${it}:4646`),
    );
    const prometheus = await (cluster as DockerCluster).startPrometheus("steppe-local/prometheus");
    const targets = await scraped(prometheus, all);
    const series = await seriesOfDashboard(prometheus);
    for (const [query, count] of series) process.stdout.write(`   ${String(count).padStart(3)} series  ${query}\n`);

    expect(targets.toSorted()).toEqual(all.map((it) => `${it} up`).toSorted());
    expect(series.size).toBeGreaterThanOrEqual(dashboardPanels().length);
    await (cluster as DockerCluster).stop("prometheus");
  });

  it.each(
    SCENARIOS.filter(({ name }) => selection.includes(name)).map((scenario, n) => ({
      scenario,
      name: scenario.name,
      n,
    })),
  )("$name: nothing is lost or doubled, and all recovers", async ({ scenario, n }) => {
    const region = REGIONS[n % REGIONS.length] as Region;
    const outcome = await runScenario(cluster as DockerCluster, scenario, region);
    process.stdout.write(describeOutcome(outcome));

    expect(outcome.figures.objections).toEqual([]);
    expect(outcome.figures.acknowledged).toBeGreaterThan(0);
    expect(outcome.targets.filter(({ ratio }) => ratio > SLACK).map(({ line }) => line)).toEqual([]);
  });
});
