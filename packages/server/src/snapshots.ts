import type { Clock, Logger } from "@steppe/model";
import { encodeSnapshot } from "@steppe/state";
import type { Replica } from "./replica.ts";

/** Entries kept behind a snapshot, so that replicas a little behind need not load it. */
const TAIL_ENTRIES = 1000;
/** How often the lease holder looks whether one is due. */
const PERIOD_MS = 5000;

/**
 * Leader duty: snapshots of the state beside the log after every so many entries, and the log cut
 * behind them. The state is encoded in one go, so that no entry can apply in the middle.
 */
export async function keepSnapshots(
  replica: Replica,
  everyEntries: number,
  clock: Clock,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  let last = (await replica.log.firstIndex(signal)) - 1;
  while (!signal.aborted) {
    await clock.after(PERIOD_MS, signal).catch(() => undefined);
    if (signal.aborted || replica.state.index - last < everyEntries) continue;
    try {
      last = await takeSnapshot(replica);
      logger.info({ index: last }, "saved snapshot");
    } catch (err) {
      logger.warn({ err }, "cannot save a snapshot now; the log stays as it is");
    }
  }
}

/** Saves the state as it is and cuts the log behind it. Resolves with its index. */
export async function takeSnapshot({ state, log }: Replica): Promise<number> {
  const { index } = state;
  const data = Buffer.concat([...encodeSnapshot(state)]);
  await log.saveSnapshot(index, data);
  if (index > TAIL_ENTRIES) await log.truncate(index - TAIL_ENTRIES);
  return index;
}
