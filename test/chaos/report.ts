// The report of a chaos run: one page, figures in a table, and for each scenario a plot of latencies and faults.
import { REGIONS, type Region } from "../docker/cluster.ts";
import { tookMs } from "../docker/figures.ts";
import type { Outcome } from "../docker/run-scenario.ts";

const COLOURS: Readonly<Record<Region, string>> = { us: "#2563eb", eu: "#16a34a", ap: "#d97706" };
const WIDTH = 1000;
const HEIGHT = 160;
/** Latencies are drawn by their logarithm, from a millisecond to twenty seconds. */
const MS_MAX = 20_000;
const DOTS_MAX = 2_000;

export function htmlReport(
  outcomes: readonly Outcome[],
  run: { readonly seed: string; readonly minutes: string },
): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Chaos, seed ${run.seed}</title>
<style>body{font:14px system-ui;margin:2em;max-width:1040px}table{border-collapse:collapse}td,th{padding:2px 8px;border-bottom:1px solid #ddd;text-align:right}
td:first-child,th:first-child{text-align:left}.bad{color:#b91c1c;font-weight:bold}pre{background:#f6f6f6;padding:8px;overflow-x:auto}</style>
<h1>Chaos, seed ${run.seed}, ${run.minutes} minutes asked for, ${outcomes.length} scenarios</h1>
<table><tr><th>scenario</th><th>tried</th><th>acknowledged</th><th>refused</th><th>unknown</th><th>lost</th><th>doubled</th><th>no write for</th><th>elsewhere</th><th>tasks again</th></tr>
${outcomes.map(row).join("\n")}</table>
${outcomes.map(section).join("\n")}</html>`;
}

function row({ name, region, figures }: Outcome, n: number): string {
  const { tried, acknowledged, refused, unknown, lost, doubled, regions } = figures;
  const worst = (faulted: boolean) =>
    Math.max(0, ...regions.filter((it) => it.faulted === faulted).map((it) => it.longestGapMs));
  const again = Math.max(0, ...regions.map((it) => it.allRunAgainMs));
  const wrong = (value: number) => `<td${value > 0 ? ' class="bad"' : ""}>${value}</td>`;
  return `<tr><td><a href="#s${n}">${escapeHtml(name)} (${region})</a></td><td>${tried}</td><td>${acknowledged}</td><td>${refused}</td><td>${unknown}</td>${wrong(lost)}${wrong(doubled)}<td>${seconds(worst(true))}</td><td>${seconds(worst(false))}</td><td>${seconds(again)}</td></tr>`;
}

function section(outcome: Outcome, n: number): string {
  const { name, region, what, moments, timeline, targets, figures } = outcome;
  const lines = timeline.map(({ at, text }) => `${((at - moments.fault) / 1000).toFixed(1).padStart(7)} s  ${text}`);
  const judged = [...targets.map(({ line }) => line), ...figures.objections.map((it) => `OBJECTION ${it}`)];
  return `<h2 id="s${n}">${escapeHtml(name)} (${region})</h2><p>${escapeHtml(what)}</p>${plot(outcome)}<pre>${escapeHtml([...lines, "", ...judged].join("\n"))}</pre>`;
}

/** Each dot an operation, at its start; those that failed or are unknown are red. The fault is shaded. */
function plot({ done, moments }: Outcome): string {
  const shown = done.filter(({ kind }) => kind !== "schedule" && kind !== "forward");
  const from = Math.min(moments.fault, ...shown.map(({ start }) => start));
  const x = (time: number) => (((time - from) / (moments.end - from)) * WIDTH).toFixed(1);
  const y = (ms: number) => (HEIGHT - (Math.log10(Math.max(1, ms)) / Math.log10(MS_MAX)) * HEIGHT).toFixed(1);
  const every = Math.ceil(shown.length / DOTS_MAX);
  const dots = shown
    .filter((it, n) => n % every === 0 || it.outcome !== "ok" || tookMs(it) > 500)
    .map(
      (it) =>
        `<circle cx="${x(it.start)}" cy="${y(tookMs(it))}" r="1.6" fill="${it.outcome === "ok" ? COLOURS[it.region] : "#dc2626"}"/>`,
    );
  const grid = [1, 10, 100, 1_000, 10_000].map(
    (ms) =>
      `<line x1="0" x2="${WIDTH}" y1="${y(ms)}" y2="${y(ms)}" stroke="#ddd"/><text x="2" y="${Number(y(ms)) - 2}" font-size="9" fill="#888">${ms} ms</text>`,
  );
  const legend = REGIONS.map(
    (region, n) => `<text x="${WIDTH - 90 + n * 30}" y="10" font-size="11" fill="${COLOURS[region]}">${region}</text>`,
  );
  const shade = `<rect x="${x(moments.fault)}" width="${Number(x(moments.healed)) - Number(x(moments.fault))}" y="0" height="${HEIGHT}" fill="#fee2e2"/>`;
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="100%" role="img" aria-label="latencies over time">${shade}${grid.join("")}${dots.join("")}${legend.join("")}</svg>`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
