/** What was applied since the last snapshot, and what of that since it was last looked. */
export interface SinceSnapshot {
  readonly entries: number;
  readonly bytes: number;
  readonly bytesOfPeriod: number;
  readonly ageMs: number;
}

export interface SnapshotLimits {
  readonly snapshotEntries: number;
  readonly snapshotBytes: number;
  readonly snapshotAgeMs: number;
}

/**
 * What is allowed behind a snapshot of so many bytes: as many as it has itself, where these are more than the limit, and
 * entries in proportion. To make the next one it is read and written whole, so what that costs stays in proportion to what was written.
 */
export function behind(snapshotBytes: number, limits: SnapshotLimits): SnapshotLimits {
  const factor = Math.max(1, snapshotBytes / limits.snapshotBytes);
  return {
    snapshotEntries: limits.snapshotEntries * factor,
    snapshotBytes: limits.snapshotBytes * factor,
    snapshotAgeMs: limits.snapshotAgeMs,
  };
}

/** More of the bytes than this share in one period is a burst. */
const BURST_SHARE = 1 / 64;
/** How much further than the bytes allowed a burst may go. */
const BURST_FACTOR = 2;

/** Further behind than this many times what is allowed, the last ones took too long. */
const BEHIND_FACTOR = 3;

/**
 * Whether the next one is to be made at the cost of those that serve, as one is that somebody waits for: a process that comes behind all others gets nothing on a
 * machine without idle time, and then log and journal would grow without end.
 */
export function isUrgent(
  { entries, bytes }: Pick<SinceSnapshot, "entries" | "bytes">,
  limits: SnapshotLimits,
): boolean {
  return entries >= limits.snapshotEntries * BEHIND_FACTOR || bytes >= limits.snapshotBytes * BEHIND_FACTOR;
}

/**
 * Making one applies again all that came since the last. In a burst, when the machine has the most to do, it waits for
 * the burst's end, or for twice as many bytes.
 */
export function isSnapshotDue(since: SinceSnapshot, limits: SnapshotLimits): boolean {
  const { entries, bytes, bytesOfPeriod, ageMs } = since;
  if (entries === 0) return false;
  if (entries >= limits.snapshotEntries || ageMs >= limits.snapshotAgeMs) return true;
  const isBurst = bytesOfPeriod > limits.snapshotBytes * BURST_SHARE;
  return bytes >= limits.snapshotBytes * (isBurst ? BURST_FACTOR : 1);
}
