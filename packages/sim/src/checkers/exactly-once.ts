/** A write that leaves a mark of its own, so that its effects can be counted. */
export interface MarkedWrite {
  readonly mark: string;
  /** As in a history: only "unknown" leaves open whether it acted. */
  readonly outcome: "ok" | "failed" | "unknown";
}

/** What writes did, counted wrongly. Empty lists: every acknowledged write acted once, every other at most once. */
export interface EffectFaults {
  /** Acknowledged, and not there. */
  readonly lost: readonly string[];
  /** There more than once. */
  readonly doubled: readonly string[];
  /** Told to have failed for good, and there. */
  readonly revived: readonly string[];
  /** There, and nobody wrote it. */
  readonly invented: readonly string[];
}

/**
 * Compares writes with all the effects that can be seen once the dust has settled: the marks in the versions of jobs, in
 * what was launched, in the log. An effect seen twice in one place (by two replicas, say) must be given once.
 */
export function checkExactlyOnce(writes: readonly MarkedWrite[], effects: readonly string[]): EffectFaults {
  const seen = new Map<string, number>();
  for (const mark of effects) seen.set(mark, (seen.get(mark) ?? 0) + 1);
  const written = new Set(writes.map(({ mark }) => mark));
  const marksOf = (outcome: MarkedWrite["outcome"], isFault: (times: number) => boolean) =>
    writes.filter((write) => write.outcome === outcome && isFault(seen.get(write.mark) ?? 0)).map(({ mark }) => mark);
  return {
    lost: marksOf("ok", (times) => times === 0),
    doubled: [...seen].filter(([, times]) => times > 1).map(([mark]) => mark),
    revived: marksOf("failed", (times) => times > 0),
    invented: [...seen.keys()].filter((mark) => !written.has(mark)),
  };
}

/** One line for a report; undefined when nothing is wrong. */
export function describeFaults(faults: EffectFaults): string | undefined {
  const told = Object.entries(faults).filter(([, marks]) => marks.length > 0);
  return told.length === 0 ? undefined : told.map(([fault, marks]) => `${fault}: ${marks.join(", ")}`).join("; ");
}
