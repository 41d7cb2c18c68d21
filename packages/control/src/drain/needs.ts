import type { Clock, Logger } from "@steppe/model";
import type { StateView } from "@steppe/state";
import type { OnApplied, Propose } from "../region-log.ts";

export interface DrainNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly view: Pick<StateView, "nodes" | "jobs">;
  /** Writes MigrateAllocations and CompleteDrains, and nothing else. */
  readonly propose: Propose;
  readonly onApplied: OnApplied;
}
