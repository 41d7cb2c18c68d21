import type { Random } from "@steppe/model";
import type { VerdictCache } from "./feasible/verdict-cache.ts";
import type { Underway } from "./underway.ts";

/** What a pass cannot take from the state. The same view, evaluation and context give the same plan. */
export interface SchedulerContext {
  /** Unix nanoseconds; decides what is due. */
  readonly now: number;
  /** Ids, and which of equally good nodes is taken. */
  readonly random: Random;
  /** Nanoseconds from some point on, for how long placing took; without it, metrics say 0. */
  readonly stopwatch?: () => number;
  /** Kept by the worker from pass to pass. */
  readonly cache?: VerdictCache;
  /** Other plans of the worker, that the state does not show yet. */
  readonly underway?: Underway;
}
