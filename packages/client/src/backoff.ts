// How long to wait before trying again. Pure.

export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Doubles with every failure in a row (0 = the first), up to the most; then half of it is left to chance. */
export function backoffMs({ baseMs, maxMs }: Backoff, failures: number, fraction: number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(failures, 30));
  return full * (0.5 + fraction / 2);
}
