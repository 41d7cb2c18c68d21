import type { Clock, Logger, Random } from "@steppe/model";
import type { StateView } from "@steppe/state";
import type { OnApplied, Propose } from "../region-log.ts";

export interface LeaseNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly view: Pick<StateView, "lease" | "index" | "time">;
  /** Digest of the own state as it stands after `view.index`. */
  digest(): number;
  readonly propose: Propose;
  readonly onApplied: OnApplied;
}

export interface LeaseOptions {
  /** Name of the server; one process at a time has it. */
  readonly holder: string;
  /** gRPC and HTTP addresses others reach the holder at, ip:port. */
  readonly address: string;
  readonly httpAddress: string;
  /** Life of a claim. Default 3 s: how long scheduling pauses at most when the holder dies. */
  readonly ttlMs?: number;
  /** No other server can claim it, so there is none to keep apart from. */
  readonly isAlone?: boolean;
}
