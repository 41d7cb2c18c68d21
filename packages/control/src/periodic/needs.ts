import type { Clock, Logger } from "@steppe/model";
import type { StateView } from "@steppe/state";
import type { OnApplied, Propose } from "../region-log.ts";
import type { CronTicks } from "./cron.ts";

export interface PeriodicNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly view: Pick<StateView, "jobs">;
  /** Writes LaunchPeriodic, and nothing else. */
  readonly propose: Propose;
  readonly onApplied: OnApplied;
  readonly ticks: CronTicks;
}
