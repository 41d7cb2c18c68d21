// Which charts the page on performance shows, and from which scenario's table each is drawn.
import { type Bars, barChart } from "./bars.ts";
import { placementCostChart } from "./chart.ts";
import type { Table } from "./scenario.ts";

interface Chart {
  readonly scenario: string;
  /** Which of its tables. */
  readonly table: number;
  readonly file: string;
  draw(table: Table): string;
}

const bars = (how: Bars) => (table: Table) => barChart(table, how);

const drawCost = (table: Table): string =>
  placementCostChart(table, {
    title: "ns a placement, 1,000 placements in one pass (median)",
    shows: (_, placed) => placed === 1_000,
    marks: [1_000, 5_000, 10_000],
  });

const drawGrowth = (table: Table): string =>
  placementCostChart(table, {
    title: "ns a placement, as many placements in one pass as nodes (median)",
    shows: (nodes, placed) => placed === nodes,
    marks: [1_000, 2_000, 5_000, 10_000],
    grows: "plain",
  });

export const CHARTS: readonly Chart[] = [
  { scenario: "scheduler", table: 0, file: "placement-cost.svg", draw: drawCost },
  { scenario: "scheduler", table: 1, file: "placement-growth.svg", draw: drawGrowth },
  {
    scenario: "register",
    table: 0,
    file: "register.svg",
    draw: bars({
      title: "Distinct jobs registered a second, one server (line: what must be reached at 32)",
      column: "jobs/s",
      label: ([log, atOnce]) => `${log}, ${atOnce} at once`,
      target: ([log, atOnce]) => (atOnce !== "32" ? undefined : log === "R3" ? 7_000 : 11_000),
    }),
  },
  {
    scenario: "read",
    table: 0,
    file: "read.svg",
    draw: bars({
      title: "GET of a job, a second (line: twice the peer at 32)",
      column: "reads/s",
      label: ([log, what, mode, atOnce]) => (what === "job" ? `${log}, ${mode}, ${atOnce} at once` : undefined),
      target: ([, , , atOnce]) => (atOnce === "32" ? 28_900 : undefined),
    }),
  },
  {
    scenario: "c1m",
    table: 0,
    file: "c1m.svg",
    draw: bars({
      title: "Allocations placed a second, 1,000,000 through the whole path (line: what must be reached)",
      column: "placed/s",
      label: ([log, type]) => `${log}, ${type}`,
      target: () => 20_000,
    }),
  },
  {
    scenario: "c2m",
    table: 1,
    file: "c2m-growth.svg",
    draw: bars({
      title: "Servers' CPU µs an allocation, as ten regions fill up",
      column: "servers' CPU µs an allocation since the row above",
      label: ([placed]) => `${placed} placed`,
    }),
  },
];
