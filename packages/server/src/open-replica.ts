import {
  type Applier,
  createApplier,
  createFreshness,
  createProposer,
  type LogGapError,
  type OtherServers,
  type RegionBus,
  type ReplicatedLog,
} from "@steppe/log";
import { type Clock, type Logger, MILLISECOND, type Random } from "@steppe/model";
import { type apply, type Changes, decodeSnapshot, State } from "@steppe/state";
import { Watches } from "@steppe/watch";
import type { AgentConfig } from "./config/index.ts";
import { type Meter, NO_METER } from "./metrics/figures.ts";
import { meteredApply, meteredProposer, meterPlans } from "./metrics/metered.ts";
import type { LocalDisk, OpenRegion, RegionEnds } from "./open-region.ts";
import type { Replica } from "./replica.ts";

export interface ReplicaNeeds {
  readonly config: AgentConfig;
  readonly openRegion: OpenRegion;
  /** How entries change the state: `apply` of `packages/state`. */
  readonly apply: typeof apply;
  readonly meter?: Meter;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Ends the wait for a log that can be followed. */
  readonly signal?: AbortSignal;
  readonly others?: OtherServers;
  readonly lost?: LogGapError | undefined;
  /** The replica cannot go on: serving from it would be wrong. */
  onFatal(error: Error): void;
}

export interface OpenedReplica {
  readonly replica: Replica;
  readonly bus: RegionBus;
  /** Where a server keeps its own. */
  readonly local: LocalDisk | undefined;
  readonly replace: RegionEnds["replace"];
  readonly held: RegionEnds["held"];
  readonly settings: {
    /** "jetstream" or "embedded". */
    readonly kind: string;
    /** Bytes of one log record. */
    readonly payloadMax: number;
  };
}

/** Opens the region's log, loads its newest snapshot and goes on from there. */
export async function openReplica(needs: ReplicaNeeds): Promise<OpenedReplica> {
  const { clock, random, logger, meter = NO_METER } = needs;
  const applied = meteredApply(needs.apply, meter, clock);
  const { log, bus, kind, local, replace, heed, held, closeTransport } = await needs.openRegion(needs);
  const state = local?.store === undefined ? await loadState(log, logger) : await local.store.loadSnapshot();
  const applier = createApplier({
    log,
    machine: {
      get index() {
        return state.index;
      },
      apply: (index, entry) => applied(state, index, entry),
    },
    clock,
    logger,
  });
  const watches = new Watches(clock);
  meterPlans({ applier }, meter);
  applier.onFatal((error) => needs.onFatal(error));
  heed?.((error) => needs.onFatal(error));
  const given = createProposer({
    log,
    applier,
    clock: stampClock(clock, replicaTime(state, applier, clock)),
    random,
    logger,
  });
  const proposer = meteredProposer(given, meter, clock);
  // Behind the proposer: who wrote is answered before who waits.
  applier.onKept(({ changes }) => watches.publish(changes));
  const freshness = createFreshness(log);
  applier.start();
  const close = async () => {
    await proposer.close();
    await applier.close();
    await bus.close();
    await log.close();
    await closeTransport();
  };
  return {
    replica: { log, state, view: state, applier, proposer, freshness, watches, close },
    bus,
    local,
    replace,
    held,
    settings: { kind, payloadMax: log.payloadMax },
  };
}

async function loadState(log: ReplicatedLog, logger: Logger): Promise<State> {
  const snapshot = await log.loadSnapshot();
  if (snapshot === undefined) return new State();
  const state = decodeSnapshot(snapshot.data);
  if (state.index !== snapshot.index) {
    throw new Error(`the snapshot kept for index ${snapshot.index} holds the state at index ${state.index}`);
  }
  logger.info({ index: state.index, bytes: snapshot.data.length }, "loaded snapshot");
  return state;
}

/** Log time as this replica can tell it now: that of the last entry, and the time since it was applied here. */
function replicaTime(state: State, applier: Applier<Changes>, clock: Clock): () => number {
  let appliedMs = clock.monotonicMs();
  applier.onApplied(() => {
    appliedMs = clock.monotonicMs();
  });
  return () => state.time + (clock.monotonicMs() - appliedMs) * MILLISECOND;
}

/**
 * The clock that entries are stamped by. Log time never goes back, so one server whose clock ran
 * ahead would stop it for all others until theirs caught up, and no lease could run out meanwhile;
 * it has to go on from where it is.
 */
function stampClock(clock: Clock, logTimeNs: () => number): Clock {
  return {
    monotonicMs: () => clock.monotonicMs(),
    after: (ms, signal) => clock.after(ms, signal),
    ...(clock.afterTurn && { afterTurn: clock.afterTurn }),
    wallNs: () => Math.max(clock.wallNs(), logTimeNs()),
  };
}
