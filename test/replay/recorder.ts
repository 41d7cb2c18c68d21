import { seededRandom } from "@steppe/control/internal";
import type { Random } from "@steppe/model";
import { type Command, Entry, type Evaluation, type Outcome, type Plan } from "@steppe/proto";
import { schedule, VerdictCache } from "@steppe/scheduler";
import { apply, decodeSnapshot, encodeSnapshot, State } from "@steppe/state";
import type { RecordedEntry, Recording } from "./recording.ts";

export type Kind = NonNullable<Command["Kind"]>;

/** A region of one thread that keeps what its log would hold. Ids, times and ties follow from the seed. */
export class Recorder {
  readonly state: State = new State();
  readonly random: Random;
  /** Unix nanoseconds of the next entry. */
  now = 1_750_000_000e9;
  readonly #entries: RecordedEntry[] = [];
  readonly #snapshots: Map<number, Uint8Array> = new Map();
  readonly #cache = new VerdictCache();
  /** Commands that were accepted or refused, by kind. */
  readonly seen: Map<string, { accepted: number; refused: number }> = new Map();

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** A whole number below `below`. */
  draw(below: number): number {
    return Math.floor(this.random.fraction() * below);
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[this.draw(items.length)];
  }

  run(kind: Kind, requestId: string = this.random.id()): Outcome {
    return this.entry([
      { RequestID: requestId, IDSeed: this.random.bytes(16), Kind: kind, Fingerprint: "" },
    ])[0] as Outcome;
  }

  /** One log entry of any number of commands, through its bytes as in production. */
  entry(commands: Command[]): readonly Outcome[] {
    const payload = Entry.encode({ Time: this.now, Commands: commands }).finish();
    const { outcomes } = apply(this.state, this.state.index + 1, Entry.decode(payload));
    this.#entries.push({ payload, digest: this.state.digest.value });
    for (const [i, { Kind }] of commands.entries()) this.#count(Kind?.$case ?? "", outcomes[i]?.Refusal === undefined);
    return outcomes;
  }

  /** As a worker's. */
  plan(evaluation: Evaluation): Plan {
    return schedule(this.state, evaluation, { now: this.now, random: this.random, cache: this.#cache });
  }

  commit(plan: Plan): void {
    this.run({ $case: "ApplyPlan", value: plan });
  }

  /**
   * False, and none is kept, where a replica that began with it would go another way: snapshots of
   * commit c6656a3 forgot in which order system jobs were last started.
   */
  snapshot(): boolean {
    const bytes = Buffer.concat([...encodeSnapshot(this.state)]);
    const [kept, had] = [decodeSnapshot(bytes), this.state].map(({ jobs }) => [...jobs.system].map(({ key }) => key));
    if (JSON.stringify(kept) !== JSON.stringify(had)) return false;
    this.#snapshots.set(this.state.index, bytes);
    return true;
  }

  recording(): Recording {
    return { entries: this.#entries, snapshots: this.#snapshots };
  }

  #count(kind: string, accepted: boolean): void {
    const count = this.seen.get(kind) ?? { accepted: 0, refused: 0 };
    count[accepted ? "accepted" : "refused"] += 1;
    this.seen.set(kind, count);
  }
}
