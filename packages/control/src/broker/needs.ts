import type { Clock, Logger, Random } from "@steppe/model";
import type { StateView } from "@steppe/state";
import type { Bus } from "../bus.ts";
import type { OnApplied, Propose } from "../region-log.ts";

export interface BrokerNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly bus: Pick<Bus, "serve" | "subscribe">;
  readonly view: Pick<StateView, "index" | "indexes" | "jobs" | "evaluations" | "schedulerConfiguration">;
  /** Writes UpsertEvaluations, and nothing else. */
  readonly propose: Propose;
  readonly onApplied: OnApplied;
}
