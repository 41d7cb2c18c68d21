import { Session } from "node:inspector/promises";
import { getHeapStatistics } from "node:v8";
import type { Clock, Logger } from "@steppe/model";
import type { Replica } from "./replica.ts";

/** A start is over by then, and what comes with it has been answered. */
const AFTER_MS = 2_000;
/** A larger heap holds a process up for too long, and grows over what loading left anyway. */
const HEAP_MAX_BYTES = 256 * 2 ** 20;

/**
 * Once, after a start: what loading the code and the state left is given back. A server at rest allocates too little
 * for V8 to do so by itself; with 10,000 jobs that was a fifth of its memory.
 */
export async function collectLoadingGarbage(
  replica: Pick<Replica, "freshness" | "applier"> | undefined,
  clock: Clock,
  logger: Logger,
  signal: AbortSignal,
  heapMaxBytes = HEAP_MAX_BYTES,
): Promise<void> {
  try {
    if (replica !== undefined) await replica.applier.waitFor(await replica.freshness.lastIndex(signal), signal);
    await clock.after(AFTER_MS, signal);
    await collect(clock, logger, heapMaxBytes);
  } catch (err) {
    if (!signal.aborted) logger.debug({ err }, "what loading left was not collected");
  }
}

async function collect(clock: Clock, logger: Logger, heapMaxBytes: number): Promise<void> {
  const before = getHeapStatistics().used_heap_size;
  if (before > heapMaxBytes) return;
  const startedMs = clock.monotonicMs();
  const session = new Session();
  session.connect();
  try {
    await session.post("HeapProfiler.collectGarbage");
  } finally {
    session.disconnect();
  }
  const mb = (bytes: number) => Math.round(bytes / 2 ** 20);
  const ms = Math.round(clock.monotonicMs() - startedMs);
  logger.debug(
    { ms, beforeMb: mb(before), afterMb: mb(getHeapStatistics().used_heap_size) },
    "collected what loading left",
  );
}
