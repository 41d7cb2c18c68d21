/** Of repeated measurements: the middle one, and the outermost. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export type Cell = string | Spread;

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: Cell[][];
}

/** Something that `npm run bench` measures. */
export interface Scenario {
  readonly name: string;
  readonly summary: string;
  /** Tables to print, and to write as JSON. */
  run(): Promise<Table[]>;
}

export function median(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (i: number) => sorted[i] ?? Number.NaN;
  return { median: at(sorted.length >> 1), min: at(0), max: at(sorted.length - 1) };
}

export function text(cell: Cell): string {
  if (typeof cell === "string") return cell;
  const [middle, min, max] = [cell.median, cell.min, cell.max].map(figure);
  return `${middle} [${min}–${max}]`;
}

/** Three significant digits at least, and no more than whole ones beyond. */
export function figure(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { minimumFractionDigits: 0, maximumFractionDigits: digits });
}

export function markdown({ title, columns, rows }: Table): string {
  const lines = [columns, columns.map(() => "---"), ...rows.map((row) => row.map(text))];
  return [`### ${title}`, "", ...lines.map((cells) => `| ${cells.join(" | ")} |`)].join("\n");
}
