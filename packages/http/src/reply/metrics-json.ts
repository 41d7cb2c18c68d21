import type { GaugeTable, MetricsSnapshot, Sampled } from "../needs.ts";

/** Rows of a table in one piece. */
const PIECE = 64;

/** A snapshot as the API tells it, in pieces. */
export function* metricsJson({
  Timestamp,
  Gauges,
  Table,
  Points,
  Counters,
  Samples,
}: MetricsSnapshot): Generator<string, void> {
  const gauges = JSON.stringify(Gauges).slice(1, -1);
  yield `{"Timestamp":${JSON.stringify(Timestamp)},"Gauges":[${gauges}`;
  yield* tableJson(Table, gauges !== "");
  const rest = { Points, Counters: Counters.map(shownSample), Samples: Samples.map(shownSample) };
  yield `],${JSON.stringify(rest).slice(1)}`;
}

/** `isBehind`: other gauges stand before these. */
function* tableJson({ Names, Rows }: GaugeTable, isBehind: boolean): Generator<string, void> {
  const names = Names.map((name) => JSON.stringify(name));
  for (let from = 0; from < Rows.length; from += PIECE) {
    const gauges = Rows.slice(from, from + PIECE).flatMap(({ Labels, Values }) => {
      const labels = JSON.stringify(Labels);
      return names.map((name, i) => `{"Name":${name},"Labels":${labels},"Value":${Values[i]}}`);
    });
    yield `${from > 0 || isBehind ? "," : ""}${gauges.join(",")}`;
  }
}

/** The API shows less than Prometheus is told. */
function shownSample({ total, quantiles, ...shown }: Sampled): Omit<Sampled, "total" | "quantiles"> {
  return shown;
}
