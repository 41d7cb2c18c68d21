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

/** More of the bytes than this share in one period is a burst. */
const BURST_SHARE = 1 / 64;
/** How much further than the bytes allowed a burst may go. */
const BURST_FACTOR = 2;

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
