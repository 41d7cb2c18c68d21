// Whether Prometheus, as deploy/ configures it, gets what the dashboard shows.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { call, eventually } from "../kit/api.ts";
import { ROOT } from "./engine.ts";

/** Five scrapes for the rates, and a busy machine. */
const SEEN_TIMEOUT_MS = 120_000;

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly result: readonly unknown[] };
}

export function dashboardPanels(): readonly Panel[] {
  return JSON.parse(readFileSync(join(ROOT, "deploy/monitoring/grafana/steppe.json"), "utf8")).panels;
}

/** The state of each target, like `us-server-1:4646 up`, once these are up. */
export async function scraped(prometheus: string, expected: readonly string[]): Promise<readonly string[]> {
  return await eventually("all targets are up", SEEN_TIMEOUT_MS, async () => {
    const { body } = await call("GET", `${prometheus}/api/v1/targets?state=active`);
    const targets: { labels: { instance: string }; health: string; lastError: string }[] = body.data.activeTargets;
    const missing = expected.filter((name) => !targets.some((it) => it.labels.instance === name && it.health === "up"));
    if (missing.length > 0) throw new Error(`not up: ${JSON.stringify(targets)}`);
    return targets.map((it) => `${it.labels.instance} ${it.health}`);
  });
}

/** How many series each query of the dashboard has, for all regions, once each has some. */
export async function seriesOfDashboard(prometheus: string): Promise<ReadonlyMap<string, number>> {
  const queries = dashboardPanels().flatMap(({ targets }) => targets.map(({ expr }) => expr));
  return await eventually("every query has series", SEEN_TIMEOUT_MS, async () => {
    const counts = new Map<string, number>();
    for (const query of queries) {
      const asked = encodeURIComponent(query.replaceAll("$region", ".*"));
      const { body } = await call<Answer>("GET", `${prometheus}/api/v1/query?query=${asked}`);
      if (body.status !== "success") throw new Error(`${query}: ${body.error}`);
      counts.set(query, body.data.result.length);
    }
    const empty = [...counts].filter(([, count]) => count === 0).map(([query]) => query);
    if (empty.length > 0) throw new Error(`without series: ${empty.join(" | ")}`);
    return counts;
  });
}
