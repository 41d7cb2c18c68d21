// npm run bench [-- scenario …]: measures, prints tables and writes .cache/bench/<scenario>.json.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { blocking } from "./blocking.ts";
import { CHARTS } from "./charts.ts";
import { evaluation } from "./evaluation.ts";
import { forward } from "./forward.ts";
import { memory } from "./memory.ts";
import { c1m, c2m } from "./million.ts";
import { PACKAGE_SCRIPTS } from "./package-scripts.ts";
import { packing } from "./packing.ts";
import { packingServer } from "./packing-server.ts";
import { read } from "./read.ts";
import { register } from "./register.ts";
import { markdown, type Scenario, type Table } from "./scenario.ts";
import { scheduler } from "./scheduler.ts";
import { snapshot } from "./snapshot.ts";
import { soak } from "./soak.ts";
import { start } from "./start.ts";

const ROOT = join(import.meta.dirname, "../..");
const RESULTS = join(ROOT, ".cache/bench");
const SCENARIOS: readonly Scenario[] = [
  register,
  read,
  blocking,
  forward,
  evaluation,
  c1m,
  c2m,
  start,
  soak,
  scheduler,
  packing,
  packingServer,
  memory,
  snapshot,
  ...PACKAGE_SCRIPTS,
];

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(help());
    return 0;
  }
  const unknown = args.find((name) => !SCENARIOS.some((it) => it.name === name));
  if (unknown !== undefined) {
    console.error(`no scenario ${unknown}\n\n${help()}`);
    return 1;
  }
  console.log(`Node ${process.version}, ${machine()}; medians with [least–most]`);
  for (const scenario of SCENARIOS.filter(({ name }) => args.length === 0 || args.includes(name))) await run(scenario);
  return 0;
}

async function run(scenario: Scenario): Promise<void> {
  const tables = await scenario.run();
  for (const table of tables) console.log(`\n${markdown(table)}`);
  mkdirSync(RESULTS, { recursive: true });
  const record = { scenario: scenario.name, node: process.version, machine: machine(), tables };
  writeFileSync(join(RESULTS, `${scenario.name}.json`), `${JSON.stringify(record, null, 2)}\n`);
  draw(scenario, tables);
}

function draw({ name }: Scenario, tables: readonly Table[]): void {
  const folder = join(ROOT, "docs/charts");
  mkdirSync(folder, { recursive: true });
  for (const chart of CHARTS.filter(({ scenario }) => scenario === name)) {
    const table = tables[chart.table];
    if (table !== undefined) writeFileSync(join(folder, chart.file), chart.draw(table));
  }
}

function machine(): string {
  return `${cpus().length} × ${cpus()[0]?.model ?? "CPU"}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
}

function help(): string {
  const list = SCENARIOS.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`);
  return ["npm run bench [-- scenario …]   without one: all of them", "", ...list].join("\n");
}

process.exitCode = await main(process.argv.slice(2));
