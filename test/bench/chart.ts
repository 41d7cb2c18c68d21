// An SVG of what a placement costs against the number of nodes, both axes logarithmic: a straight
// line that does not rise is a cost that does not grow.
import type { Cell, Table } from "./scenario.ts";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [760, 420, 70, 250, 40, 50];
const X: readonly [number, number] = [800, 12_500];
const Y: readonly [number, number] = [100, 20_000];
const COLOURS = [
  "#1f6f8b",
  "#c2571a",
  "#4c8c2b",
  "#8a3f8f",
  "#b8860b",
  "#5b5b5b",
  "#d1495b",
  "#00a39b",
  "#7a5230",
  "#111111",
];

interface Line {
  readonly name: string;
  readonly points: readonly (readonly [nodes: number, ns: number])[];
}

interface Cost {
  readonly title: string;
  /** Which columns of the scheduler's table. */
  shows(nodes: number, placed: number): boolean;
  /** Numbers of nodes that have a line of their own. */
  readonly marks: readonly number[];
  /** The row beside which a line shows what it would cost if it grew with log(nodes). */
  readonly grows?: string;
}

export function placementCostChart({ rows, columns }: Table, { title, shows, marks, grows }: Cost): string {
  const lines = rows.map((row): Line => {
    const points = columns.flatMap((column, i) => pointOf(column, row[i], shows));
    return { name: String(row[0]), points };
  });
  const measured = lines.filter(({ points }) => points.length > 1);
  const shown = [...measured, ...measured.filter(({ name }) => name === grows).map(logarithmic)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    "<title>Cost of a placement against the number of nodes</title>",
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="22" font-size="14">${title}</text>`,
    ...[100, 1_000, 10_000].map((ns) => horizontal(ns, ns.toLocaleString("en-US"), "#ddd", "")),
    horizontal(2_500, "2,500", "#b33", "4 3"),
    ...marks.map(vertical),
    ...shown.map((line, i) => lineOf(line, i)),
    "</svg>",
    "",
  ].join("\n");
}

/** As dear as the line in its first point, and growing with log(nodes) from there. */
function logarithmic({ name, points }: Line): Line {
  const [[first, ns]] = points as [Line["points"][0]];
  return {
    name: `${name}, if as log(nodes)`,
    points: points.map(([nodes]) => [nodes, (ns * Math.log(nodes)) / Math.log(first)]),
  };
}

function pointOf(column: string, cell: Cell | undefined, shows: Cost["shows"]): [number, number][] {
  const [nodes, placed] = column.split(" × ").map(Number);
  if (nodes === undefined || placed === undefined || typeof cell !== "object") return [];
  return shows(nodes, placed) ? [[nodes, cell.median]] : [];
}

function scale(value: number, [from, to]: readonly [number, number], start: number, end: number): number {
  const share = Math.log(value / from) / Math.log(to / from);
  return Math.round((start + share * (end - start)) * 10) / 10;
}

const x = (nodes: number): number => scale(nodes, X, LEFT, WIDTH - RIGHT);
const y = (ns: number): number => scale(ns, Y, HEIGHT - BOTTOM, TOP);

function horizontal(ns: number, label: string, colour: string, dashes: string): string {
  const line = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(ns)}" y2="${y(ns)}" stroke="${colour}" stroke-dasharray="${dashes}"/>`;
  return `${line}<text x="${LEFT - 8}" y="${y(ns) + 4}" text-anchor="end">${label}</text>`;
}

function vertical(nodes: number): string {
  const line = `<line x1="${x(nodes)}" x2="${x(nodes)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" stroke="#ddd"/>`;
  const label = `${nodes.toLocaleString("en-US")} nodes`;
  return `${line}<text x="${x(nodes)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${label}</text>`;
}

function lineOf({ name, points }: Line, i: number): string {
  const colour = COLOURS[i % COLOURS.length] as string;
  const path = points.map(([nodes, ns]) => `${x(nodes)},${y(ns)}`).join(" ");
  const dots = points.map(([nodes, ns]) => `<circle cx="${x(nodes)}" cy="${y(ns)}" r="3" fill="${colour}"/>`).join("");
  const label = `<text x="${WIDTH - RIGHT + 30}" y="${TOP + 10 + 18 * i}">${name}</text>`;
  const key = `<line x1="${WIDTH - RIGHT + 10}" x2="${WIDTH - RIGHT + 25}" y1="${TOP + 6 + 18 * i}" y2="${TOP + 6 + 18 * i}" stroke="${colour}" stroke-width="2"/>`;
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}${key}${label}`;
}
