// One scenario from quiet to quiet: load, fault, healing, judgement.
import { eventually } from "../kit/api.ts";
import { type DockerCluster, REGIONS, type Region } from "./cluster.ts";
import { type Figures, figuresOf, type Moments } from "./figures.ts";
import { type Done, Load, STEADY, type Steadiness, type Step } from "./load.ts";
import { judgeTargets, type Scenario } from "./scenarios.ts";

export interface Outcome {
  readonly name: string;
  readonly region: Region;
  readonly what: string;
  readonly figures: Figures;
  readonly targets: ReturnType<typeof judgeTargets>;
  readonly moments: Moments;
  readonly timeline: readonly { readonly at: number; readonly text: string }[];
  readonly done: readonly Done[];
  readonly history: readonly Step[];
}

const BEFORE_MS = 5_000;
const AFTER_MS = 3_000;
const RECOVERY_MS = 120_000;

/** Names jobs that no earlier run on the same cluster can have left behind. */
const PROCESS = `p${process.pid.toString(36)}`;
let runs = 0;

export async function runScenario(
  cluster: DockerCluster,
  scenario: Scenario,
  region: Region,
  options: { readonly dispatches?: boolean } = {},
): Promise<Outcome> {
  const load = new Load(cluster, `${PROCESS}-${++runs}`, options.dispatches);
  try {
    return await underLoad(cluster, load, scenario, region, options.dispatches ?? true);
  } finally {
    await load.stop();
  }
}

async function underLoad(
  cluster: DockerCluster,
  load: Load,
  scenario: Scenario,
  region: Region,
  dispatches: boolean,
): Promise<Outcome> {
  const timeline: { at: number; text: string }[] = [];
  const tell = (text: string) => timeline.push({ at: performance.now(), text });
  await load.start();
  await steady(load, performance.now());
  await sleep(BEFORE_MS);
  const asked = performance.now();
  const injected = await scenario.inject(cluster, region);
  const fault = injected.at ?? asked;
  timeline.push({ at: fault, text: `fault: ${injected.what}` });
  tell("done");
  await sleep(scenario.holdMs);
  const healed = performance.now();
  tell("healing");
  await injected.heal();
  tell("healed");
  await cluster.ready(RECOVERY_MS);
  await steady(load, healed);
  tell("all regions ready, all tasks running");
  await sleep(AFTER_MS);
  const end = performance.now();
  await load.stop();
  const effects = dispatches ? await load.effects() : [];
  const moments = { fault, healed, end };
  const figures = figuresOf(load, effects, [region], REGIONS, moments);
  await load.cleanUp();
  const targets = judgeTargets(scenario, figures);
  timeline.push(...changes(load.steadiness), ...forwardChanges(load.done.filter(({ to }) => to === region)));
  timeline.sort((a, b) => a.at - b.at);
  const { done, history } = load;
  return { name: scenario.name, region, what: injected.what, figures, targets, moments, timeline, done, history };
}

/** All tasks of the load run in all regions, as seen after `from`. */
async function steady(load: Load, from: number): Promise<void> {
  await eventually("all tasks run", RECOVERY_MS, async () => {
    for (const region of REGIONS) {
      const last = load.steadiness.findLast((it) => it.region === region);
      if (last === undefined || last.at < from || last.running < STEADY)
        throw new Error(`${region}: ${last?.running} run`);
    }
  });
}

function changes(steadiness: readonly Steadiness[]): { at: number; text: string }[] {
  const last = new Map<Region, number>();
  return steadiness.flatMap(({ region, at, running }) => {
    if (last.get(region) === running) return [];
    last.set(region, running);
    return [{ at, text: `${region}: ${running} of ${STEADY} tasks run` }];
  });
}

/** When requests between regions began and ceased to be answered. */
function forwardChanges(done: readonly Done[]): { at: number; text: string }[] {
  const last = new Map<string, string>();
  return done.flatMap(({ kind, region, to, outcome, text, end }) => {
    const told = outcome === "ok" ? "answers" : (text ?? "");
    if (kind !== "forward" || last.get(`${region} ${to}`) === told) return [];
    last.set(`${region} ${to}`, told);
    return [{ at: end, text: `from ${region}, ${to}: ${told}` }];
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** As it is printed. */
export function describeOutcome({ name, region, figures, targets, moments, timeline }: Outcome): string {
  const at = (time: number) => `${((time - moments.fault) / 1000).toFixed(1).padStart(7)} s`;
  const { tried, acknowledged, refused, unknown, lost, doubled, objections } = figures;
  const lines = [
    `== ${name} (${region})`,
    ...timeline.map((event) => `${at(event.at)}  ${event.text}`),
    `   writes: tried ${tried}, acknowledged ${acknowledged}, refused ${refused}, unknown ${unknown}, lost ${lost}, doubled ${doubled}`,
    ...figures.regions.map(
      (it) =>
        `   ${it.region}${it.faulted ? " (fault)" : "        "} longest without a write ${ms(it.longestGapMs)} (before ${ms(it.longestGapBeforeMs)}), without an evaluation ${ms(it.longestSchedulingGapMs)}, ` +
        `all tasks again after ${ms(it.allRunAgainMs)}, p99 ${ms(it.p99BeforeMs)} -> ${ms(it.p99DuringMs)}` +
        (it.slowestForwardMs > 0
          ? `, slowest request for the region ${ms(it.slowestForwardMs)} ${it.forwardAnswers.join(" | ")}`
          : ""),
    ),
    ...targets.map(({ line }) => `   ${line}`),
    ...objections.map((objection) => `   OBJECTION ${objection}`),
  ];
  return `${lines.join("\n")}\n`;
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
