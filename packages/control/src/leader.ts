import type { Clock, Logger, Random } from "@steppe/model";
import type { StateView } from "@steppe/state";
import { Broker, type BrokerStats } from "./broker/broker.ts";
import { type BrokerOptions, brokerSettings } from "./broker/options.ts";
import type { Bus } from "./bus.ts";
import { DeploymentWatcher } from "./deployment/loop.ts";
import { runDrains } from "./drain/loop.ts";
import { runGarbageCollection } from "./gc/loop.ts";
import { GC_SETTINGS, type GcSettings } from "./gc/needs.ts";
import { HEARTBEAT_TIMING, type HeartbeatTiming } from "./heartbeat/decide.ts";
import { runHeartbeats } from "./heartbeat/loop.ts";
import { coordinateRollouts } from "./multiregion/coordinate.ts";
import { deliverCopies } from "./multiregion/delivery.ts";
import { ROLLOUT_TIMING, type RolloutTiming, type RouteTo } from "./multiregion/needs.ts";
import { cronTicks } from "./periodic/cron.ts";
import { PeriodicLauncher } from "./periodic/loop.ts";
import type { OnApplied, Propose } from "./region-log.ts";
import { runVariableLocks } from "./variable-locks/loop.ts";

/** Everything the leader's duties need together; each one takes only its own part. */
export interface LeaderNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly view: StateView;
  readonly propose: Propose;
  readonly onApplied: OnApplied;
  /** Without it, jobs run in this region alone. */
  readonly route?: RouteTo;
  /** Own region; needed with `route`. */
  readonly region?: string;
}

export interface LeaderOptions {
  readonly broker?: BrokerOptions;
  readonly heartbeat?: Partial<HeartbeatTiming>;
  readonly gc?: Partial<GcSettings>;
  readonly rollouts?: Partial<RolloutTiming>;
}

/**
 * What a server does while it leads. `run` is the `OnGain` of `Leadership`: it starts all duties
 * of a term and resolves when all have ended with its signal; when one of them fails, it rejects,
 * and the lease goes to another server.
 *
 * The broker comes first, so that it follows from the first entry of the term what the other
 * duties write: nodes that went down and periodic children make evaluations.
 */
export class LeaderDuties {
  readonly #needs: LeaderNeeds;
  readonly #options: LeaderOptions;
  #broker: Broker | undefined;

  constructor(needs: LeaderNeeds, options: LeaderOptions = {}) {
    this.#needs = needs;
    this.#options = options;
  }

  /** Undefined while another server leads. */
  brokerStats(): BrokerStats | undefined {
    return this.#broker?.stats();
  }

  readonly run = async (term: number, signal: AbortSignal): Promise<void> => {
    const needs = this.#needs;
    const broker = new Broker(term, needs, brokerSettings(this.#options.broker), signal);
    const timing = { ...HEARTBEAT_TIMING, ...this.#options.heartbeat };
    this.#broker = broker;
    try {
      await Promise.all([
        broker.run(),
        runHeartbeats(term, needs, timing, signal),
        runDrains(term, needs, signal),
        new DeploymentWatcher(term, needs, signal).run(),
        runVariableLocks(term, needs, signal),
        runGarbageCollection(term, needs, { ...GC_SETTINGS, ...this.#options.gc }, signal),
        this.#rollOut(term, signal),
        new PeriodicLauncher(term, { ...needs, ticks: cronTicks }, signal).run(),
      ]);
    } finally {
      this.#broker = undefined;
    }
  };

  async #rollOut(term: number, signal: AbortSignal): Promise<void> {
    const { route, region } = this.#needs;
    if (route === undefined || region === undefined) return;
    const needs = { ...this.#needs, route, region };
    const timing = { ...ROLLOUT_TIMING, ...this.#options.rollouts };
    await Promise.all([deliverCopies(term, needs, timing, signal), coordinateRollouts(term, needs, timing, signal)]);
  }
}
