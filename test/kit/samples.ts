/** Longest time between two of the moments, or one of them and an end, all between `from` and `to`. */
export function longestGap(times: readonly number[], from: number, to: number): number {
  const inside = times.filter((time) => time > from && time < to).sort((a, b) => a - b);
  const points = [from, ...inside, to];
  return Math.max(...points.slice(1).map((time, n) => time - (points[n] as number)));
}

/** `portion` of the numbers are at most this; 0 when there are none. */
export function percentile(numbers: readonly number[], portion: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * portion) - 1)] ?? 0;
}
