import { prometheusText } from "@steppe/http/internal";
import type { Clock } from "@steppe/model";
import { expect, test } from "vitest";
import { Figures } from "./figures.ts";

function world() {
  let nowMs = 0;
  const clock: Clock = { monotonicMs: () => nowMs, wallNs: () => 0, after: () => new Promise(() => undefined) };
  return { figures: new Figures(clock), pass: (ms: number) => (nowMs += ms) };
}

test("timer, tells the last whole interval, and since the process began in total", () => {
  const { figures, pass } = world();
  for (const ms of [2, 4, 6]) figures.sample("t", ms, { route: "/x" });
  pass(10_000);
  figures.sample("t", 100, { route: "/x" });
  const [told] = figures.samples({ host: "h" });
  expect(told).toMatchObject({
    ...{ Name: "t", Labels: { host: "h", route: "/x" } },
    ...{ Count: 3, Sum: 12, Min: 2, Max: 6, Mean: 4, Stddev: 2, Rate: 1.2 },
    total: { count: 4, sum: 112 },
  });
  pass(30_000);
  expect(figures.samples({})[0]).toMatchObject({ Count: 0, Min: 0, Max: 0, Mean: 0, total: { count: 4 } });
});

test("figure that was looked up once, is the meter's own of that name, and untold before it has anything", () => {
  const { figures } = world();
  const [timer, counter] = [figures.timer("t", { route: "/x" }), figures.counter("c")];
  expect([figures.samples({}), figures.counters({})]).toEqual([[], []]);
  timer.add(2);
  figures.sample("t", 4, { route: "/x" });
  counter.add(3);
  expect(figures.samples({})).toMatchObject([{ Labels: { route: "/x" }, Count: 2, Sum: 6 }]);
  expect(figures.counters({})).toMatchObject([{ Name: "c", Sum: 3 }]);
});

test("timer, in its first interval, tells what there is", () => {
  const { figures } = world();
  figures.sample("t", 5);
  expect(figures.samples({})[0]).toMatchObject({ Count: 1, Mean: 5, Stddev: 0 });
});

test("quantiles, of a thousand values, are within a fifth of the true ones", () => {
  const { figures } = world();
  for (let ms = 1; ms <= 1000; ms++) figures.sample("t", ms);
  const quantiles = new Map(figures.samples({})[0]?.quantiles);
  for (const [part, ms] of [
    [0.5, 500],
    [0.9, 900],
    [0.99, 990],
  ] as const) {
    const told = quantiles.get(part) ?? 0;
    expect(told / ms).toBeGreaterThanOrEqual(1);
    expect(told / ms).toBeLessThan(1.2);
  }
});

test("labels without end, are counted together when there are too many", () => {
  const { figures } = world();
  for (let i = 0; i < 5000; i++) figures.count("c", { i: String(i) });
  expect(figures.counters({}).length).toBeLessThanOrEqual(2001);
  expect(figures.counters({}).reduce((sum, { total }) => sum + (total?.sum ?? 0), 0)).toBe(5000);
});

test("Prometheus, counters and summaries count from the beginning", () => {
  const { figures, pass } = world();
  figures.count("nomad.c", { kind: "a" }, 3);
  figures.sample("nomad.t", 4);
  pass(60_000);
  const pieces = prometheusText({
    ...{ Timestamp: "", Gauges: [], Table: { Names: [], Rows: [] }, Points: [] },
    ...{ Counters: figures.counters({}), Samples: figures.samples({}) },
  });
  const text = [...pieces].join("");
  expect(text).toContain('# TYPE nomad_c counter\nnomad_c{kind="a"} 3\n');
  expect(text).toMatch(/# TYPE nomad_t summary\nnomad_t\{quantile="0.5"\} 4\.\d+\n/);
  expect(text).toContain("nomad_t_sum 4\nnomad_t_count 1\n");
});
