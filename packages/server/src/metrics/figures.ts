// Counters and timers of one process. What is told of each is its last whole interval, as the peer's API tells it, and
// what it came to since the process began, which Prometheus wants. Bounded: a name has a few sets of labels.
import type { Sampled } from "@steppe/http";
import type { Clock } from "@steppe/model";

type Labels = Readonly<Record<string, string>>;

/** As long as the peer's. */
const INTERVAL_MS = 10_000;
/** Sets of labels beyond these are counted together, under none: labels must not come from requests. */
const SERIES_MAX = 2_000;
/** Quantiles are told to within a fifth: the borders of buckets are a factor of 2^(1/4) apart. */
const STEPS = 4;
const BUCKETS = 40 * STEPS;
/** Milliseconds; the border of the first bucket. */
const SMALLEST = 0.001;
const QUANTILES = [0.5, 0.9, 0.99] as const;

/** A name with its labels, looked up once: for places that report often. */
export interface Figure {
  /** As `count` or `sample` of its meter. */
  add(value: number): void;
}

/** What parts of a process report to. */
export interface Meter {
  counter(name: string, labels?: Labels): Figure;
  timer(name: string, labels?: Labels): Figure;
  /** Something happened, once or several times. */
  count(name: string, labels?: Labels, times?: number): void;
  /** Something took so many milliseconds. */
  sample(name: string, ms: number, labels?: Labels): void;
}

/** For parts that nobody measures. */
export const NO_METER: Meter = {
  counter: () => NO_FIGURE,
  timer: () => NO_FIGURE,
  count: () => undefined,
  sample: () => undefined,
};

const NO_FIGURE: Figure = { add: () => undefined };

export class Figures implements Meter {
  readonly #clock: Clock;
  readonly #counters: Map<string, Series> = new Map();
  readonly #samples: Map<string, Series> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  counter(name: string, labels: Labels = {}): Figure {
    return this.#figure(this.#counters, name, labels);
  }

  timer(name: string, labels: Labels = {}): Figure {
    return this.#figure(this.#samples, name, labels);
  }

  /** It is told of only once there is something to tell. */
  #figure(all: Map<string, Series>, name: string, labels: Labels): Figure {
    let series: Series | undefined;
    return {
      add: (value) => {
        series ??= seriesOf(all, name, labels);
        series.add(value, this.#clock.monotonicMs());
      },
    };
  }

  count(name: string, labels: Labels = {}, times = 1): void {
    seriesOf(this.#counters, name, labels).add(times, this.#clock.monotonicMs());
  }

  sample(name: string, ms: number, labels: Labels = {}): void {
    seriesOf(this.#samples, name, labels).add(ms, this.#clock.monotonicMs());
  }

  counters(labels: Labels): Sampled[] {
    return this.#told(this.#counters, labels);
  }

  samples(labels: Labels): Sampled[] {
    return this.#told(this.#samples, labels);
  }

  #told(all: ReadonlyMap<string, Series>, labels: Labels): Sampled[] {
    const nowMs = this.#clock.monotonicMs();
    return [...all.values()].map((series) => series.told(labels, nowMs));
  }
}

/** Runs `work` and reports how long it took, also when it fails. Holds nobody up who waits for it. */
export function timed<T>(timer: Figure, clock: Clock, work: () => Promise<T>): Promise<T> {
  const beganMs = clock.monotonicMs();
  const done = work();
  const report = () => timer.add(clock.monotonicMs() - beganMs);
  done.then(report, report);
  return done;
}

function seriesOf(all: Map<string, Series>, name: string, labels: Labels): Series {
  const key = keyOf(name, labels);
  let series = all.get(key);
  if (series === undefined) {
    const isFull = all.size >= SERIES_MAX;
    series = (isFull ? all.get(name) : undefined) ?? new Series(name, isFull ? {} : labels);
    all.set(isFull ? name : key, series);
  }
  return series;
}

function keyOf(name: string, labels: Labels): string {
  let key = name;
  for (const label in labels) key += `\0${label}\0${labels[label]}`;
  return key;
}

class Interval {
  count = 0;
  sum = 0;
  squares = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
}

class Series {
  readonly #name: string;
  readonly #labels: Labels;
  readonly #buckets: Uint32Array = new Uint32Array(BUCKETS);
  #total = { count: 0, sum: 0 };
  /** Number of the interval since the process began. */
  #at = 0;
  #now = new Interval();
  #last = new Interval();

  constructor(name: string, labels: Labels) {
    this.#name = name;
    this.#labels = labels;
  }

  add(value: number, nowMs: number): void {
    this.#turn(nowMs);
    const now = this.#now;
    now.count += 1;
    now.sum += value;
    now.squares += value * value;
    now.min = Math.min(now.min, value);
    now.max = Math.max(now.max, value);
    this.#total.count += 1;
    this.#total.sum += value;
    const bucket = bucketOf(value);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  told(more: Labels, nowMs: number): Sampled {
    this.#turn(nowMs);
    // Before the first interval is over, what there is.
    const it = this.#at === Math.floor(nowMs / INTERVAL_MS) && this.#last.count === 0 ? this.#now : this.#last;
    const { count, sum, squares } = it;
    const mean = count === 0 ? 0 : sum / count;
    const variance = count < 2 ? 0 : Math.max(0, (squares - count * mean * mean) / (count - 1));
    return {
      Name: this.#name,
      Labels: { ...more, ...this.#labels },
      Count: count,
      Sum: sum,
      Min: count === 0 ? 0 : it.min,
      Max: count === 0 ? 0 : it.max,
      Mean: mean,
      Stddev: Math.sqrt(variance),
      Rate: sum / (INTERVAL_MS / 1000),
      total: { ...this.#total },
      quantiles: QUANTILES.map((part) => [part, this.#quantile(part)] as const),
    };
  }

  #turn(nowMs: number): void {
    const at = Math.floor(nowMs / INTERVAL_MS);
    if (at === this.#at) return;
    this.#last = at === this.#at + 1 ? this.#now : new Interval();
    this.#now = new Interval();
    this.#at = at;
  }

  #quantile(part: number): number {
    let left = Math.ceil(this.#total.count * part);
    for (const [i, count] of this.#buckets.entries()) {
      left -= count;
      if (left <= 0) return i === 0 ? 0 : SMALLEST * 2 ** (i / STEPS);
    }
    return SMALLEST * 2 ** (BUCKETS / STEPS);
  }
}

function bucketOf(value: number): number {
  if (value <= SMALLEST) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log2(value / SMALLEST) * STEPS));
}
