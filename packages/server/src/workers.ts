import { Worker } from "@steppe/control";
import type { RegionBus } from "@steppe/log";
import type { Clock, Logger, Random } from "@steppe/model";
import { schedule, splitPlan, Underway, VerdictCache } from "@steppe/scheduler";
import { onAppliedOf, proposeTo } from "./leader-duties.ts";
import { type Meter, NO_METER } from "./metrics/figures.ts";
import { meteredBus, meteredPlans, meteredSchedule } from "./metrics/metered.ts";
import type { Replica } from "./replica.ts";

export interface WorkerSettings {
  readonly count: number;
  /** Scheduler types to take. */
  readonly types: readonly string[];
}

export interface WorkerParts {
  /** Unique in the region. */
  readonly name: string;
  readonly replica: Replica;
  readonly bus: RegionBus;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter?: Meter;
  /** Clients whose requests wait for answers of this process. */
  readonly waiting?: { readonly requests: number };
}

export interface Workers {
  readonly all: readonly Worker[];
  readonly settings: WorkerSettings;
  /** The old ones finish what is in hand, then new ones start. Resolves when they have. */
  configure(settings: WorkerSettings): Promise<void>;
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
export function startWorkers(settings: WorkerSettings, parts: WorkerParts): Workers {
  return new Pool(settings, parts);
}

class Pool implements Workers {
  readonly #parts: WorkerParts;
  #settings: WorkerSettings;
  #all: readonly Worker[] = [];
  #stopping = new AbortController();
  #started: Promise<void> = Promise.resolve();
  /** One change at a time. */
  #changing: Promise<void> = Promise.resolve();
  /** No worker has the name of one before it: what is told of the old one is not taken for the new. */
  #made = 0;

  constructor(settings: WorkerSettings, parts: WorkerParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#start();
  }

  get all(): readonly Worker[] {
    return this.#all;
  }

  get settings(): WorkerSettings {
    return this.#settings;
  }

  configure(settings: WorkerSettings): Promise<void> {
    this.#changing = this.#changing.then(async () => {
      await this.#end();
      this.#settings = settings;
      this.#start();
    });
    return this.#changing;
  }

  async stop(): Promise<void> {
    await this.#changing;
    await this.#end();
  }

  #start(): void {
    const { count, types } = this.#settings;
    this.#stopping = new AbortController();
    this.#all = Array.from({ length: count }, () =>
      createWorker(`${this.#parts.name}/${this.#made++}`, types, this.#parts),
    );
    this.#started = count === 0 ? Promise.resolve() : startWhenCaughtUp(this.#all, this.#parts, this.#stopping.signal);
  }

  async #end(): Promise<void> {
    this.#stopping.abort();
    await this.#started;
    await Promise.all(this.#all.map((worker) => worker.stop()));
  }
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

function createWorker(
  name: string,
  types: readonly string[],
  { replica, bus, clock, random, logger, meter = NO_METER, waiting }: WorkerParts,
): Worker {
  const { view, applier, log } = replica;
  const cache = new VerdictCache();
  const underway = new Underway(view);
  return new Worker(
    { name, types },
    {
      clock,
      random,
      logger,
      bus: meteredBus(bus, meter, clock),
      view,
      propose: meteredPlans(proposeTo(replica), meter, clock),
      onApplied: onAppliedOf(replica),
      waitFor: (index, signal) => applier.waitForApplied(index, signal),
      schedule: meteredSchedule(
        (evaluation) => {
          const stopwatch = () => clock.monotonicMs() * 1e6;
          return schedule(view, evaluation, { now: clock.wallNs(), random, cache, underway, stopwatch });
        },
        meter,
        clock,
      ),
      underway,
      ...(waiting && { givesWay: () => waiting.requests > 0 }),
      splitPlan: (plan) => splitPlan(plan, log.payloadMax - ENTRY_HEADROOM),
    },
  );
}
