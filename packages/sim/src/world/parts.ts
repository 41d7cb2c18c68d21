import type { RegionBus, RegionLog } from "@steppe/log";
import type { Clock, Files } from "@steppe/model";
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
  log(real: RegionLog, life: Life): RegionLog;
  /** Of servers that keep a journal. */
  files(real: Files, life: Life): Files;
  /** Of servers that keep a journal. */
  bus(real: RegionBus, life: Life): RegionBus;
  /** What a server serves over gRPC. */
  serve(real: Implementations, life: Life): Implementations;
}

export const REAL_PARTS: Parts = {
  apply,
  clock: (real) => real,
  log: (real) => real,
  files: (real) => real,
  bus: (real) => real,
  serve: (real) => real,
};
