// npm run chaos.
//
// Starts the ha shape of deploy/compose.yaml and breaks it for as long as asked: faults in an order that
// the seed gives, each in a region that it gives. Writes an HTML report; ends with 1 when a checker objects.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { DockerCluster, REGIONS, type Region } from "../docker/cluster.ts";
import { buildImages, findEngine } from "../docker/engine.ts";
import { describeOutcome, type Outcome, runScenario } from "../docker/run-scenario.ts";
import { SCENARIOS, type Scenario } from "../docker/scenarios.ts";
import { htmlReport } from "./report.ts";

const HELP = `Usage: npm run chaos -- [options]

Starts three regions in containers, breaks them while clients write, and judges what the clients were told.
Exits with 1 when a checker objects.

Options:
  --minutes N        begin scenarios for so long (default 10)
  --seed S           order of the scenarios, and the region of each (default 1)
  --only TEXT        only scenarios whose name has this text
  --shape ha|usual   how many of each part a region has (default ha)
  --fresh            build the images anew
  --attach PROJECT   break the compose project that is up, instead of starting one
  --out FILE         the report (default .cache/chaos.html)
  --help             this text
`;

const { values } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    out: { type: "string", default: ".cache/chaos.html" },
    only: { type: "string", default: "" },
    fresh: { type: "boolean", default: false },
    attach: { type: "string", default: "" },
    shape: { type: "string", default: "ha" },
  },
});

if (values.help) {
  process.stdout.write(HELP);
  process.exit();
}

const say = (text: string) => process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);

async function main(): Promise<void> {
  process.env.DOCKER_HOST = findEngine();
  await using cluster = await start();
  say("all regions are ready");
  const end = performance.now() + Number(values.minutes) * 60_000;
  const outcomes: Outcome[] = [];
  const random = seeded(Number(values.seed));
  let failures = 0;
  for (let deck: Scenario[] = []; performance.now() < end; ) {
    if (deck.length === 0) deck = shuffled(fitting(), random);
    const scenario = deck.pop() as Scenario;
    const region = REGIONS[Math.floor(random() * REGIONS.length)] as Region;
    try {
      const outcome = await runScenario(cluster, scenario, region);
      outcomes.push(outcome);
      process.stdout.write(describeOutcome(outcome));
    } catch (error) {
      failures += 1;
      say(
        `"${scenario.name}" in ${region} did not come to an end: ${error instanceof Error ? error.stack : String(error)}`,
      );
      await cluster.restore().catch((cause: unknown) => say(`and the cluster is not well: ${String(cause)}`));
    }
    save(outcomes);
  }
  summarize(outcomes, failures);
  if (failures > 0 || outcomes.some(({ figures }) => figures.objections.length > 0)) process.exitCode = 1;
}

async function start(): Promise<DockerCluster> {
  const shape = values.shape === "ha" ? "ha" : "usual";
  if (values.attach !== "") return DockerCluster.attach(values.attach, shape);
  buildImages("dev", values.fresh);
  say("starting three regions of containers");
  return DockerCluster.up({ project: `steppe-chaos-${process.pid}`, shape });
}

/** In the usual shape a region has one NATS node, so that nobody can be cut from it or follow it. */
function fitting(): Scenario[] {
  const named = SCENARIOS.filter(({ name }) => name.includes(values.only));
  return values.shape === "ha" ? [...named] : named.filter(({ name }) => !/a NATS node|stream leader/.test(name));
}

function save(outcomes: readonly Outcome[]): void {
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, htmlReport(outcomes, { seed: values.seed, minutes: values.minutes }));
}

function summarize(outcomes: readonly Outcome[], failures: number): void {
  const sum = (pick: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + pick(outcome), 0);
  const of = (name: "tried" | "acknowledged" | "refused" | "unknown" | "lost" | "doubled") =>
    sum(({ figures }) => figures[name]);
  say(
    `${outcomes.length} scenarios (${failures} more did not come to an end), seed ${values.seed}: writes tried ${of("tried")}, acknowledged ${of("acknowledged")}, refused ${of("refused")}, ` +
      `unknown ${of("unknown")}, lost ${of("lost")}, doubled ${of("doubled")}; report: ${values.out}`,
  );
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

/** mulberry32: the same numbers for the same seed, on every machine. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}

await main();
