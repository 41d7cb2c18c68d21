import type { Clock, Logger } from "@steppe/model";
import { Evaluation } from "@steppe/proto";
import { Alarm } from "../alarm.ts";
import type { Propose } from "../region-log.ts";

/**
 * Writes what the leader decides about evaluations, in batches: while one is being acknowledged,
 * the next gathers. Tries again until it is written or the term is over, when the next leader
 * finds the same things to write.
 */
export class EvaluationWriter {
  readonly #term: number;
  readonly #needs: { readonly clock: Clock; readonly logger: Logger; readonly propose: Propose };
  readonly #signal: AbortSignal;
  #gathered: Evaluation[] = [];
  #writing = false;

  constructor(
    term: number,
    needs: { readonly clock: Clock; readonly logger: Logger; readonly propose: Propose },
    signal: AbortSignal,
  ) {
    this.#term = term;
    this.#needs = needs;
    this.#signal = signal;
  }

  write(evaluations: readonly Evaluation[]): void {
    this.#gathered.push(...evaluations);
    if (!this.#writing && this.#gathered.length > 0) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    while (this.#gathered.length > 0 && !this.#signal.aborted) {
      const count = countFitting(this.#gathered);
      if (await this.#wrote(this.#gathered.slice(0, count))) this.#gathered.splice(0, count);
      else await new Alarm().wait(this.#needs.clock, RETRY_MS, this.#signal);
    }
    this.#writing = false;
  }

  async #wrote(Evaluations: Evaluation[]): Promise<boolean> {
    const { propose, logger } = this.#needs;
    try {
      const kind = { $case: "UpsertEvaluations", value: { Term: this.#term, Evaluations } } as const;
      const { Refusal: refusal } = await propose(kind, { signal: this.#signal });
      if (refusal !== undefined) logger.debug({ reason: refusal.Message }, "evaluations not written");
      return true;
    } catch (error) {
      if (!this.#signal.aborted) logger.warn({ err: error }, "writing evaluations failed; trying again");
      return false;
    }
  }
}

/** How many of them go into one command: at least one, at most a quarter of the smallest payload limit. */
function countFitting(evaluations: readonly Evaluation[]): number {
  let bytes = 0;
  let count = 0;
  for (const evaluation of evaluations.slice(0, COUNT_MAX)) {
    bytes += Evaluation.encode(evaluation).finish().length;
    if (count > 0 && bytes > BYTES_MAX) break;
    count += 1;
  }
  return count;
}

const RETRY_MS = 1_000;
const COUNT_MAX = 500;
const BYTES_MAX = 256 * 1024;
