/**
 * Sees every entry of a region's log at the moment at which it is stored, and judges what must hold after each: the
 * replicas are compared with what it computes, and what took effect is counted here.
 */
import { type Command, Entry, type Outcome } from "@steppe/proto";
import { violations } from "@steppe/scheduler/invariants";
import { State } from "@steppe/state";
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

type Fail = (check: string, text: string) => void;

/** Entries without a plan seldom break a rule of the scheduler: one in so many is judged. */
const UNPLANNED = 16;

export class Witness {
  readonly state: State = new State();
  readonly effects: Effect[] = [];
  readonly launches: Launch[] = [];
  readonly #apply: Parts["apply"];
  readonly #fail: Fail;
  readonly #digests: Map<number, number> = new Map();

  constructor(apply: Parts["apply"], fail: Fail) {
    this.#apply = apply;
    this.#fail = fail;
  }

  stored(index: number, payload: Uint8Array): void {
    const entry = Entry.decode(payload);
    const { lease } = this.state;
    // As they were sent, in case `apply` is a broken one.
    const sent = entry.Commands.map(sentOf);
    const { outcomes } = this.#apply(this.state, index, entry);
    this.#digests.set(index, this.state.digest.value);
    const claims = sent.some(({ kind }) => kind === "ClaimLease" || kind === "ReleaseLease");
    for (const [i, command] of sent.entries()) {
      const outcome = outcomes[i];
      if (outcome === undefined || outcome.Refusal !== undefined || outcome.Index !== index) continue;
      this.#count(command, outcome);
      if (!claims) this.#checkTerm(index, command, lease, this.state.time);
    }
    if (!sent.some(({ kind }) => kind === "ApplyPlan") && index % UNPLANNED !== 0) return;
    for (const violation of violations(this.state)) this.#fail("scheduler", `after entry ${index}: ${violation}`);
  }

  /** A replica has applied that entry. */
  compare(name: string, index: number, digest: number): void {
    const expected = this.#digests.get(index);
    if (expected !== undefined && expected !== digest) {
      this.#fail("digest", `${name} has digest ${digest} at index ${index}; the log gives ${expected}`);
    }
  }

  #count(command: Sent, outcome: Outcome): void {
    if (command.mark !== undefined) this.effects.push({ index: outcome.Index, mark: command.mark });
    if (command.tick === undefined || outcome.JobID === "") return;
    const launch: Launch = { ...command.tick, child: outcome.JobID };
    const other = this.launches.find(({ job, tickNs }) => job === launch.job && tickNs === launch.tickNs);
    if (other !== undefined) {
      this.#fail(
        "periodic",
        `tick ${launch.tickNs / 1e9} of ${launch.job} launched ${other.child} and ${launch.child}`,
      );
    }
    this.launches.push(launch);
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
