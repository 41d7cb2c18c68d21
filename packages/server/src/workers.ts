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

/** Starts workers on one replica: a process gains nothing by more than one, since a pass is synchronous. */
export function startWorkers(count: number, parts: WorkerParts): Workers {
  const all = Array.from({ length: count }, (_, n) => createWorker(`${parts.name}/${n}`, parts));
  for (const worker of all) worker.start();
  return {
    all,
    stop: async () => {
      await Promise.all(all.map((worker) => worker.stop()));
    },
  };
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
      schedule: (evaluation) => schedule(view, evaluation, { now: clock.wallNs(), random, cache }),
      splitPlan: (plan) => splitPlan(plan, log.payloadMax - ENTRY_HEADROOM),
    },
  );
}
