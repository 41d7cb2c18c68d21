import type { Clock, Logger } from "@steppe/model";
import type { StateView } from "@steppe/state";
import type { OnApplied, Propose } from "../region-log.ts";

export interface DeploymentNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly view: Pick<StateView, "deployments" | "evaluations" | "jobs">;
  /** Writes PromoteDeployment, FailDeployment and AdvanceDeployments, and nothing else. */
  readonly propose: Propose;
  readonly onApplied: OnApplied;
}
