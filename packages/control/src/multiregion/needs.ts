import type { Clock, Logger, RegionServices } from "@steppe/model";
import type { StateView } from "@steppe/state";
import type { OnApplied, Propose } from "../region-log.ts";

/** The services of another region. Of one that is unknown or cannot be reached every call rejects. */
export type RouteTo = (region: string) => Pick<RegionServices, "jobs">;

export interface RolloutNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly view: Pick<StateView, "deployments" | "jobs" | "owed">;
  /** Writes SettleCopies, MoveDeployment and FailDeployment, and nothing else. */
  readonly propose: Propose;
  readonly onApplied: OnApplied;
  readonly route: RouteTo;
  /** Own region. */
  readonly region: string;
}

export interface RolloutTiming {
  /** Between two looks at the other regions while a rollout is under way. */
  readonly lookMs: number;
  /** A region that is out of reach for so long is no longer waited for. */
  readonly awayMs: number;
  /** The server that took a registration hands out the copies itself for so long. */
  readonly handOverMs: number;
  /** Between two attempts to reach a region that is owed something; doubles up to `retryMaxMs`. */
  readonly retryMs: number;
  readonly retryMaxMs: number;
}

export const ROLLOUT_TIMING: RolloutTiming = {
  ...{ lookMs: 500, awayMs: 15_000, handOverMs: 5_000, retryMs: 1_000, retryMaxMs: 15_000 },
};
