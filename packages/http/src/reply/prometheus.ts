import type { MetricsSnapshot } from "../needs.ts";

type Labels = Readonly<Record<string, string>>;

/** A snapshot in Prometheus' text format, version 0.0.4. Counters and samples count from when the process began. */
export function prometheusText(snapshot: MetricsSnapshot): string {
  const families = new Map<string, string[]>();
  const add = (name: string, type: string, ...lines: readonly string[]) => {
    const family = families.get(name) ?? [`# TYPE ${name} ${type}`];
    families.set(name, family);
    family.push(...lines);
  };
  for (const { Name, Labels, Value } of snapshot.Gauges) {
    const name = metricName(Name);
    add(name, "gauge", `${name}${labelText(Labels)} ${Value}`);
  }
  for (const { Name, Labels, Sum, total } of snapshot.Counters) {
    const name = metricName(Name);
    add(name, "counter", `${name}${labelText(Labels)} ${total?.sum ?? Sum}`);
  }
  for (const { Name, Labels, Sum, Count, total = { sum: Sum, count: Count }, quantiles = [] } of snapshot.Samples) {
    const name = metricName(Name);
    const parts = quantiles.map(
      ([part, value]) => `${name}${labelText({ ...Labels, quantile: String(part) })} ${value}`,
    );
    const labels = labelText(Labels);
    add(name, "summary", ...parts, `${name}_sum${labels} ${total.sum}`, `${name}_count${labels} ${total.count}`);
  }
  return [...families.values()].map((lines) => `${lines.join("\n")}\n`).join("");
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
