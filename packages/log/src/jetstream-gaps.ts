import type { Clock } from "@steppe/model";
import type { StreamState } from "./jetstream-api.ts";
import { LogGapError } from "./log.ts";

export interface GapContext {
  readonly clock: Clock;
  readonly stream: string;
  readonly created: string;
  readonly base: number;
}

/**
 * How long a state that says "records are gone" must last before it is believed: a stream leader
 * that was just elected may answer before it has applied everything that is committed.
 */
const DOUBT_MS = 5000;

/** Decides, with patience, that records are gone. Each method throws `LogGapError` once it is sure. */
export class GapJudge {
  readonly #context: GapContext;
  #doubtSince: number | undefined;
  #hole: number | undefined;
  #holeSeen = 0;

  constructor(context: GapContext) {
    this.#context = context;
  }

  /** False: ask again in a moment. */
  seemsWhole(state: Pick<StreamState, "created" | "sealed" | "firstSeq" | "lastSeq">, next: number): boolean {
    const { base, created, stream } = this.#context;
    if (state.created !== created) throw new LogGapError(`stream ${stream} was deleted and made again`);
    if (state.sealed) throw new LogGapError("the region follows another log now");
    const [first, last] = [base + state.firstSeq, base + state.lastSeq];
    if (first > next) throw new LogGapError(`record ${next} was dropped; the oldest kept is ${first}`);
    if (last + 1 >= next) {
      this.#doubtSince = undefined;
      return true;
    }
    this.#doubt(`the log ends at ${last}, before ${next - 1}: its tail was lost`);
    return false;
  }

  vanished(): void {
    this.#doubt(`stream ${this.#context.stream} is gone`);
  }

  /** A session went from the record before `next` straight to `to`, past records the stream should have. */
  skipped(next: number, to: number | undefined): void {
    if (to === undefined) return;
    this.#holeSeen = this.#hole === next ? this.#holeSeen + 1 : 1;
    this.#hole = next;
    if (this.#holeSeen >= 3) throw new LogGapError(`records ${next} to ${to - 1} are missing from the log`);
  }

  #doubt(what: string): void {
    const now = this.#context.clock.monotonicMs();
    this.#doubtSince ??= now;
    if (now - this.#doubtSince >= DOUBT_MS) throw new LogGapError(what);
  }
}
