// Scenarios of the chaos run on one region of the ha shape that has the machine for itself: what is measured then is not
// what thirty containers do to two cores. Nothing is judged here; the chaos run does that.

import { DockerCluster, type Region } from "../../docker/cluster.ts";
import { scraped, seriesOfDashboard } from "../../docker/dashboard.ts";
import { buildImages, findEngine } from "../../docker/engine.ts";
import { SCENARIOS, type Scenario } from "../../docker/scenarios.ts";
import { eventually } from "../../kit/api.ts";
import { percentile } from "../../kit/samples.ts";
import { SteadyProber } from "../../kit/steady-prober.ts";
import { SteadyWriter } from "../../kit/steady-writer.ts";

const REGION: Region = "us";
const BEFORE_MS = 3_000;
const AFTER_MS = 3_000;

interface Gaps {
  /** Longest time without a write of the worst client before the fault, and from it on; milliseconds. */
  readonly before: number;
  readonly writes: number;
  readonly evaluations: number;
}

/** `only`: of scenarios whose name has this text. `monitoring`: first, what Prometheus gets from it. */
export async function regionAlone(only: string, rounds: number, monitoring: boolean): Promise<void> {
  const scenarios = SCENARIOS.filter(({ name }) => name.includes(only));
  process.env.DOCKER_HOST = findEngine();
  buildImages("dev", false);
  await using cluster = await DockerCluster.up({ project: `steppe-measure-${process.pid}`, regions: [REGION] });
  if (monitoring) await watched(cluster);
  for (const scenario of scenarios) {
    const seen: Gaps[] = [];
    for (let n = 1; n <= rounds; n++) {
      const gaps = await one(cluster, scenario, n);
      seen.push(gaps);
      process.stdout.write(
        `${scenario.name}, round ${n}: no write for ${ms(gaps.writes)} (before: ${ms(gaps.before)}), no evaluation for ${ms(gaps.evaluations)}\n`,
      );
    }
    const shown = (pick: (gaps: Gaps) => number) =>
      `median ${ms(percentile(seen.map(pick), 0.5))}, most ${ms(Math.max(...seen.map(pick)))}`;
    process.stdout.write(
      `${scenario.name}, a region alone, ${rounds} rounds: no write for ${shown((it) => it.writes)}; no evaluation for ${shown((it) => it.evaluations)}\n`,
    );
  }
}

async function watched(cluster: DockerCluster): Promise<void> {
  const prometheus = await cluster.startPrometheus("steppe-local/prometheus");
  const agents = [...cluster.names(REGION, "server"), ...cluster.names(REGION, "client")].map((it) => `${it}:4646`);
  const targets = await scraped(prometheus, agents);
  for (const target of targets.filter((it) => it.startsWith(REGION))) process.stdout.write(`Prometheus: ${target}\n`);
  for (const [query, count] of await seriesOfDashboard(prometheus))
    process.stdout.write(`Prometheus: ${String(count).padStart(3)} series  ${query}\n`);
  await cluster.stop("prometheus");
}

async function one(cluster: DockerCluster, scenario: Scenario, n: number): Promise<Gaps> {
  const urls = await Promise.all(cluster.names(REGION, "server").map((name) => cluster.url(name)));
  // One begins at each server, so that one is at whichever is lost.
  const writers = urls.map((_, first) => new SteadyWriter(`writer-${first}-${n}`, urls, { first }));
  await using prober = new SteadyProber(`probe-${n}`, urls);
  try {
    await eventually("all write", 30_000, async () => {
      if (writers.some(({ written }) => written.length < 20) || prober.processed.length < 5) throw new Error("not yet");
    });
    const from = performance.now();
    await sleep(BEFORE_MS);
    const asked = performance.now();
    const injected = await scenario.inject(cluster, REGION);
    const fault = injected.at ?? asked;
    await sleep(scenario.holdMs);
    await injected.heal();
    await cluster.ready();
    await sleep(AFTER_MS);
    const end = performance.now();
    const worst = (since: number, until: number) => Math.max(...writers.map((it) => it.longestGap(since, until)));
    return { before: worst(from, fault), writes: worst(fault, end), evaluations: prober.longestGap(fault, end) };
  } finally {
    for (const writer of writers) await writer[Symbol.asyncDispose]();
  }
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}

function sleep(value: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, value));
}
