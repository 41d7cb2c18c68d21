import type { Clock, Logger } from "@steppe/model";
import type { Variable, VariableLockName } from "@steppe/proto";
import { Alarm } from "../alarm.ts";
import type { OnApplied, Propose } from "../region-log.ts";

export interface VariableLockNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly view: { readonly variables: { readonly locked: ReadonlyMap<string, Variable> } };
  /** Writes ExpireVariableLocks, and nothing else. */
  readonly propose: Propose;
  readonly onApplied: OnApplied;
}

const RETRY_MS = 1_000;
/** Of a few hundred bytes each, well below what one entry may have. */
const BATCH_MAX = 500;

/**
 * Ends locks that are not renewed, during one term. It only says when to look: `apply` decides by log time whether a
 * lock has run out. A lock that nobody could renew while there was no leader gets its whole time again.
 */
export async function runVariableLocks(term: number, needs: VariableLockNeeds, signal: AbortSignal): Promise<void> {
  const { clock, logger, view, propose, onApplied } = needs;
  const alarm = new Alarm();
  const beganNs = clock.wallNs();
  const unsubscribe = onApplied(({ changes }) => {
    if (changes.variables.size > 0) alarm.ring();
  });
  while (!signal.aborted) {
    const { due, nextNs } = dueLocks(view.variables.locked.values(), beganNs, clock.wallNs());
    if (due.length === 0) {
      await alarm.wait(clock, (nextNs - clock.wallNs()) / 1e6, signal);
      continue;
    }
    try {
      const value = { Term: term, Locks: due.slice(0, BATCH_MAX) };
      const { Removed } = await propose({ $case: "ExpireVariableLocks", value }, { signal });
      if (Removed > 0) logger.info({ locks: Removed }, "locks of variables ran out");
      // Log time is behind this clock.
      else await new Alarm().wait(clock, RETRY_MS, signal);
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error }, "locks of variables could not be ended; trying again");
      await new Alarm().wait(clock, RETRY_MS, signal);
    }
  }
  unsubscribe();
}

/** Locks whose time is over at `nowNs`, and when the next one's is; `beganNs`: of the term. */
export function dueLocks(
  locked: Iterable<Variable>,
  beganNs: number,
  nowNs: number,
): { due: VariableLockName[]; nextNs: number } {
  const due: VariableLockName[] = [];
  let nextNs = Number.POSITIVE_INFINITY;
  for (const { Namespace, Path, Lock } of locked) {
    if (Lock === undefined) continue;
    const atNs = Math.max(Lock.Expires, beganNs + Lock.TTL);
    if (atNs <= nowNs) due.push({ Namespace, Path, LockID: Lock.ID });
    else nextNs = Math.min(nextNs, atNs);
  }
  return { due, nextNs };
}
