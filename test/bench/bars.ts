// An SVG of horizontal bars: medians with their spread, and the target where there is one.
import { type Cell, figure, type Spread, type Table } from "./scenario.ts";

const [WIDTH, LEFT, RIGHT, TOP, BAR, GAP] = [760, 300, 150, 44, 18, 8];

/** Which column of a table is drawn, from which rows. */
export interface Bars {
  readonly title: string;
  readonly column: string;
  /** Text of a bar; undefined leaves the row out. */
  label(row: readonly Cell[]): string | undefined;
  /** A line across a bar: what must be reached. */
  target?(row: readonly Cell[]): number | undefined;
}

export function barChart({ rows, columns }: Table, { title, column, label, target }: Bars): string {
  const at = columns.indexOf(column);
  const bars = rows.flatMap((row) => {
    const text = label(row);
    const value = spreadOf(row[at]);
    return text === undefined || value === undefined ? [] : [{ text, value, target: target?.(row) }];
  });
  const most = Math.max(...bars.flatMap(({ value, target = 0 }) => [value.max, target]));
  const x = (value: number): number => Math.round(LEFT + (value / most) * (WIDTH - LEFT - RIGHT));
  const height = TOP + bars.length * (BAR + GAP) + 10;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="16" y="24" font-size="14">${title}</text>`,
    ...bars.map(({ text, value, target }, i) => {
      const y = TOP + i * (BAR + GAP);
      const middle = y + BAR / 2;
      return [
        `<text x="${LEFT - 8}" y="${middle + 4}" text-anchor="end">${text}</text>`,
        `<rect x="${LEFT}" y="${y}" width="${x(value.median) - LEFT}" height="${BAR}" fill="#1f6f8b"/>`,
        `<line x1="${x(value.min)}" x2="${x(value.max)}" y1="${middle}" y2="${middle}" stroke="#111"/>`,
        target === undefined
          ? ""
          : `<line x1="${x(target)}" x2="${x(target)}" y1="${y - 3}" y2="${y + BAR + 3}" stroke="#b33" stroke-width="2"/>`,
        `<text x="${x(Math.max(value.max, target ?? 0)) + 8}" y="${middle + 4}">${figure(value.median)}</text>`,
      ].join("");
    }),
    "</svg>",
    "",
  ].join("\n");
}

function spreadOf(cell: Cell | undefined): Spread | undefined {
  if (typeof cell === "object") return cell;
  const value = Number(cell?.replaceAll(",", ""));
  return Number.isNaN(value) ? undefined : { median: value, min: value, max: value };
}
