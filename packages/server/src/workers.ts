import { Worker } from "@steppe/control";
import type { RegionBus } from "@steppe/log";
import type { Clock, Logger, Random } from "@steppe/model";
import { schedule, splitPlan, VerdictCache } from "@steppe/scheduler";
import { onAppliedOf, proposeTo } from "./leader-duties.ts";
import type { Replica } from "./replica.ts";

export interface WorkerParts {
  /** Unique in the region. */
  readonly name: string;
  readonly replica: Replica;
  readonly bus: RegionBus;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Scheduler types to take. */
  readonly types: readonly string[];
}

export interface Workers {
  readonly all: readonly Worker[];
  /** Finishes what is in hand. */
  stop(): Promise<void>;
}

/** Room in a log record beside the plan: the entry's time, the request ID, the seed. */
const ENTRY_HEADROOM = 1024;
const RETRY_MS = 500;

/**
 * Starts workers on one replica once it has caught up with the log: before that, other workers are
 * better asked. A process gains nothing by more than one, since a pass is synchronous.
 */
export function startWorkers(count: number, parts: WorkerParts): Workers {
  const all = Array.from({ length: count }, (_, n) => createWorker(`${parts.name}/${n}`, parts));
  const stopping = new AbortController();
  const started = count === 0 ? Promise.resolve() : startWhenCaughtUp(all, parts, stopping.signal);
  return {
    all,
    stop: async () => {
      stopping.abort();
      await started;
      await Promise.all(all.map((worker) => worker.stop()));
    },
  };
}

async function startWhenCaughtUp(workers: readonly Worker[], parts: WorkerParts, signal: AbortSignal): Promise<void> {
  const { freshness, applier } = parts.replica;
  while (!signal.aborted) {
    try {
      await applier.waitFor(await freshness.lastIndex(signal), signal);
      for (const worker of workers) worker.start();
      return;
    } catch (err) {
      if (signal.aborted) return;
      parts.logger.warn({ err }, "workers wait until the log answers");
      await parts.clock.after(RETRY_MS, signal).catch(() => undefined);
    }
  }
}

function createWorker(name: string, { replica, bus, clock, random, logger, types }: WorkerParts): Worker {
  const { view, applier, log } = replica;
  const cache = new VerdictCache();
  return new Worker(
    { name, types },
    {
      clock,
      random,
      logger,
      bus,
      view,
      propose: proposeTo(replica),
      onApplied: onAppliedOf(replica),
      waitFor: (index, signal) => applier.waitFor(index, signal),
      schedule: (evaluation) => {
        const stopwatch = () => clock.monotonicMs() * 1e6;
        return schedule(view, evaluation, { now: clock.wallNs(), random, cache, stopwatch });
      },
      splitPlan: (plan) => splitPlan(plan, log.payloadMax - ENTRY_HEADROOM),
    },
  );
}
