import type { Clock, Logger } from "@steppe/model";
import type { StateView } from "@steppe/state";
import type { Bus } from "../bus.ts";
import type { OnApplied, Propose } from "../region-log.ts";

export interface HeartbeatNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bus: Pick<Bus, "subscribe">;
  readonly view: Pick<StateView, "nodes">;
  /** Writes UpdateNodeStatus, and nothing else. */
  readonly propose: Propose;
  readonly onApplied: OnApplied;
}
