// Repeated measurements, and their spread.
import { median, type Spread } from "../scenario.ts";

/** Seconds a round of a scenario under load takes, and rounds; smaller for a first look. */
export const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
export const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);

/** Takes the rounds one after the other; a spread of each figure. */
export async function rounds<K extends string>(
  count: number,
  measure: (round: number) => Promise<Readonly<Record<K, number>>>,
): Promise<Record<K, Spread>> {
  const all: Readonly<Record<K, number>>[] = [];
  for (let round = 0; round < count; round++) all.push(await measure(round));
  const names = Object.keys(all[0] ?? {}) as K[];
  return Object.fromEntries(names.map((name) => [name, median(all.map((it) => it[name]))])) as Record<K, Spread>;
}

/** Of a list, the value that so large a share of it does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
