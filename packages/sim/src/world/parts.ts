import type { ReplicatedLog } from "@steppe/log";
import type { Clock } from "@steppe/model";
import type { Implementations } from "@steppe/regions";
import { apply } from "@steppe/state";
import type { Life } from "../kernel/life.ts";

/**
 * Where a process's parts come from. The simulator runs the real ones; its own tests put broken ones in their place, to
 * see that the checkers notice.
 */
export interface Parts {
  readonly apply: typeof apply;
  clock(real: Clock, life: Life): Clock;
  log(real: ReplicatedLog, life: Life): ReplicatedLog;
  /** What a server serves over gRPC. */
  serve(real: Implementations, life: Life): Implementations;
}

export const REAL_PARTS: Parts = {
  apply,
  clock: (real) => real,
  log: (real) => real,
  serve: (real) => real,
};
