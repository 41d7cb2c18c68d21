import type { GaugeTable, MetricsSnapshot } from "../needs.ts";

type Labels = Readonly<Record<string, string>>;

/** Rows of a table in one piece. */
const PIECE = 512;

/**
 * A snapshot in Prometheus' text format, version 0.0.4, in pieces. Counters and samples count from when the process
 * began.
 */
export function* prometheusText({ Gauges, Table, Counters, Samples }: MetricsSnapshot): Generator<string, void> {
  const families = new Map<string, string[]>();
  const add = (name: string, type: string, ...lines: readonly string[]) => {
    const family = families.get(name) ?? [`# TYPE ${name} ${type}`];
    families.set(name, family);
    family.push(...lines);
  };
  for (const { Name, Labels, Value } of Gauges) {
    const name = metricName(Name);
    add(name, "gauge", `${name}${labelText(Labels)} ${Value}`);
  }
  for (const { Name, Labels, Sum, total } of Counters) {
    const name = metricName(Name);
    add(name, "counter", `${name}${labelText(Labels)} ${total?.sum ?? Sum}`);
  }
  for (const { Name, Labels, Sum, Count, total = { sum: Sum, count: Count }, quantiles = [] } of Samples) {
    const name = metricName(Name);
    const parts = quantiles.map(
      ([part, value]) => `${name}${labelText({ ...Labels, quantile: String(part) })} ${value}`,
    );
    const labels = labelText(Labels);
    add(name, "summary", ...parts, `${name}_sum${labels} ${total.sum}`, `${name}_count${labels} ${total.count}`);
  }
  yield [...families.values()].map((lines) => `${lines.join("\n")}\n`).join("");
  yield* tableText(Table);
}

/** Name by name, as all that has one name has to stand together. */
function* tableText({ Names, Rows }: GaugeTable): Generator<string, void> {
  // By row: each name has the same ones.
  const labels: string[] = [];
  for (const [column, Name] of Names.entries()) {
    const name = metricName(Name);
    for (let from = 0; from < Rows.length; from += PIECE) {
      let text = from === 0 ? `# TYPE ${name} gauge\n` : "";
      for (const [i, { Labels, Values }] of Rows.slice(from, from + PIECE).entries()) {
        labels[from + i] ??= labelText(Labels);
        text += `${name}${labels[from + i]} ${Values[column]}\n`;
      }
      yield text;
    }
  }
}

function metricName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_:]/g, "_").replace(/^(\d)/, "_$1");
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name.replace(/\W/g, "_")}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
