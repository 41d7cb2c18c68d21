/**
 * Sees every record of a region's logs at the moment at which it is stored, and judges what must hold after each: the
 * replicas are compared with what it computes, and what took effect is counted here.
 *
 * A log that loses records and takes others in their place branches, and one that is rebuilt goes on from some branch. So
 * what was seen is a tree; `state`, `effects` and `launches` are of the branch that took a record last.
 */
import type { LogIdentity } from "@steppe/log";
import { type Command, Entry, type Outcome } from "@steppe/proto";
import { violations } from "@steppe/scheduler/invariants";
import { DigestMismatchError, decodeSnapshot, State } from "@steppe/state";
import type { LogJudge } from "../log/store.ts";
import type { Machine } from "./machine.ts";
import type { Parts } from "./parts.ts";

/** A registration or deregistration that took effect. */
export interface Effect {
  readonly index: number;
  readonly mark: string;
}

export interface Launch {
  readonly job: string;
  /** Of the tick, unix nanoseconds. */
  readonly tickNs: number;
  readonly child: string;
}

/** All records up to one. */
export interface Tip {
  readonly index: number;
  readonly before: Tip | undefined;
  /** What leads from the state before it to its own. */
  readonly step: { readonly payload: Uint8Array } | { readonly snapshot: Uint8Array | undefined };
  readonly effects: readonly Effect[];
  readonly launches: readonly Launch[];
  /** No replica can take it: a leader wrote it that knows another branch. */
  readonly isDead?: boolean;
}

type Fail = (check: string, text: string) => void;

/** Entries without a plan seldom break a rule of the scheduler: one in so many is judged. */
const UNPLANNED = 16;
const EMPTY_DIGEST = new State().digest.value;

export class Witness implements LogJudge {
  readonly #apply: Parts["apply"];
  readonly #fail: Fail;
  /** Whether the log lost what it had, and was not rebuilt yet. */
  readonly #isLost: () => boolean;
  /** Of all branches, by index. */
  readonly #digests: Map<number, Set<number>> = new Map();
  /** The last with a digest. */
  readonly #byDigest: Map<number, Tip> = new Map();
  #state: State = new State();
  #tip: Tip | undefined;
  #effects: Effect[] = [];
  #launches: Launch[] = [];
  /** Largest index that a server applied and kept. */
  #served = 0;
  /** Logs that were made after the first. */
  rebuilds = 0;

  constructor(apply: Parts["apply"], fail: Fail, isLost: () => boolean) {
    this.#apply = apply;
    this.#fail = fail;
    this.#isLost = isLost;
  }

  get state(): State {
    return this.#state;
  }

  get effects(): readonly Effect[] {
    return this.#effects;
  }

  get launches(): readonly Launch[] {
    return this.#launches;
  }

  begun({ epoch, base }: LogIdentity, snapshot: Uint8Array | undefined): Tip {
    const tip = (before: Tip | undefined): Tip => {
      return { index: base, before, step: { snapshot }, effects: [], launches: [] };
    };
    if (snapshot === undefined) {
      if (epoch > 0) this.#fail("rebuild", `log ${epoch} has no snapshot`);
      return tip(undefined);
    }
    this.rebuilds += 1;
    if (base < this.#served) this.#fail("rebuild", `log ${epoch} begins behind ${base}; ${this.#served} was served`);
    const digest = decodeSnapshot(snapshot).digest.value;
    const before = this.#byDigest.get(digest);
    if (before === undefined && digest !== EMPTY_DIGEST)
      this.#fail("rebuild", `log ${epoch} begins with a state that no log led to`);
    const made = tip(before);
    this.show(made);
    return made;
  }

  stored(before: Tip, index: number, payload: Uint8Array): Tip {
    const dead: Tip = { index, before, step: { payload }, effects: [], launches: [], isDead: true };
    if (before.isDead) return dead;
    this.show(before);
    const entry = Entry.decode(payload);
    const { lease } = this.#state;
    // As they were sent, in case `apply` is a broken one.
    const sent = entry.Commands.map(sentOf);
    const outcomes = this.#outcomes(index, entry);
    if (outcomes === undefined) return dead;
    const claims = sent.some(({ kind }) => kind === "ClaimLease" || kind === "ReleaseLease");
    const effects: Effect[] = [];
    const launches: Launch[] = [];
    for (const [i, command] of sent.entries()) {
      const outcome = outcomes[i];
      if (outcome === undefined || outcome.Refusal !== undefined || outcome.Index !== index) continue;
      if (command.mark !== undefined) effects.push({ index, mark: command.mark });
      const launch = this.#launchOf(command, outcome);
      if (launch !== undefined) launches.push(launch);
      if (!claims) this.#checkTerm(index, command, lease, this.#state.time);
    }
    this.#effects.push(...effects);
    this.#launches.push(...launches);
    const tip: Tip = { index, before, step: { payload }, effects, launches };
    this.#tip = tip;
    this.#note(tip);
    if (sent.some(({ kind }) => kind === "ApplyPlan") || index % UNPLANNED === 0) this.#checkRules(index);
    return tip;
  }

  /** Turns to a branch. */
  show(shown: Tip | undefined): void {
    let tip = shown;
    while (tip?.isDead) tip = tip.before;
    if (tip === this.#tip || tip === undefined) return;
    const path: Tip[] = [];
    for (let at: Tip | undefined = tip; at !== undefined; at = at.before) path.push(at);
    path.reverse();
    this.#tip = tip;
    this.#effects = path.flatMap(({ effects }) => effects);
    this.#launches = path.flatMap(({ launches }) => launches);
    const begin = path.findLastIndex(({ step }) => "snapshot" in step);
    this.#state = new State();
    for (const { index, step } of path.slice(Math.max(0, begin))) {
      if ("payload" in step) this.#apply(this.#state, index, Entry.decode(step.payload));
      else if (step.snapshot !== undefined) this.#state = decodeSnapshot(step.snapshot);
    }
  }

  /** A server's replica has applied and kept that entry. */
  served(index: number): void {
    this.#served = Math.max(this.#served, index);
  }

  /** A replica has applied that entry. */
  compare({ name }: Pick<Machine, "name">, index: number, digest: number): void {
    const expected = this.#digests.get(index);
    if (expected !== undefined && !expected.has(digest)) {
      this.#fail(
        "digest",
        `${name} has digest ${digest} at index ${index}; the log gives ${[...expected].join(" or ")}`,
      );
    }
  }

  /** Undefined when no replica can apply it. */
  #outcomes(index: number, entry: Entry): readonly Outcome[] | undefined {
    try {
      return this.#apply(this.#state, index, entry).outcomes;
    } catch (error) {
      if (!(error instanceof DigestMismatchError && this.#isLost())) throw error;
      // It may have left half an entry behind.
      this.#tip = undefined;
      return undefined;
    }
  }

  #note(tip: Tip): void {
    const digest = this.#state.digest.value;
    this.#byDigest.set(digest, tip);
    const known = this.#digests.get(tip.index);
    if (known === undefined) this.#digests.set(tip.index, new Set([digest]));
    else known.add(digest);
  }

  #checkRules(index: number): void {
    for (const violation of violations(this.#state)) this.#fail("scheduler", `after entry ${index}: ${violation}`);
  }

  #launchOf(command: Sent, outcome: Outcome): Launch | undefined {
    if (command.tick === undefined || outcome.JobID === "") return undefined;
    const launch: Launch = { ...command.tick, child: outcome.JobID };
    const other = this.#launches.find(({ job, tickNs }) => job === launch.job && tickNs === launch.tickNs);
    if (other !== undefined) {
      this.#fail(
        "periodic",
        `tick ${launch.tickNs / 1e9} of ${launch.job} launched ${other.child} and ${launch.child}`,
      );
    }
    return launch;
  }

  /** What a leader may do only while it leads. */
  #checkTerm(index: number, { kind, term }: Sent, lease: State["lease"], timeNs: number): void {
    if (term === 0 || (lease?.Term === term && lease.Expires > timeNs)) return;
    this.#fail("lease", `entry ${index} did ${kind} for term ${term}, when the lease was of term ${lease?.Term}`);
  }
}

/** What is judged of a command. */
interface Sent {
  readonly kind: string | undefined;
  readonly term: number;
  readonly mark: string | undefined;
  /** Of a launch that nobody forced. */
  readonly tick: Omit<Launch, "child"> | undefined;
}

function sentOf({ Kind }: Command): Sent {
  const term = (Kind?.value as { Term?: number } | undefined)?.Term ?? 0;
  const mark = Kind?.$case === "RegisterJob" ? Kind.value.Job?.Meta.mark : undefined;
  const isTick = Kind?.$case === "LaunchPeriodic" && !Kind.value.Forced;
  const tick = isTick ? { job: Kind.value.JobID, tickNs: Kind.value.LaunchTime } : undefined;
  return { kind: Kind?.$case, term, mark, tick };
}
