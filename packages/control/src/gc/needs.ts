import type { Clock, Logger } from "@steppe/model";
import type { Propose } from "../region-log.ts";
import type { GcView } from "./decide.ts";

export interface GcNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly view: GcView;
  /** Writes CollectGarbage, and nothing else. */
  readonly propose: Propose;
}

/** Milliseconds. */
export interface GcSettings {
  readonly intervalMs: number;
  readonly jobMs: number;
  readonly evaluationMs: number;
  readonly batchEvaluationMs: number;
  readonly deploymentMs: number;
  readonly nodeMs: number;
}

const HOUR_MS = 3_600_000;

export const GC_SETTINGS: GcSettings = {
  intervalMs: 300_000,
  jobMs: 4 * HOUR_MS,
  evaluationMs: HOUR_MS,
  batchEvaluationMs: 24 * HOUR_MS,
  deploymentMs: HOUR_MS,
  nodeMs: 24 * HOUR_MS,
};
