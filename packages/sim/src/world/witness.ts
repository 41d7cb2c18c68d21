/**
 * Sees every entry of a region's log at the moment at which it is stored, and judges what must hold after each: the
 * replicas are compared with what it computes, and what took effect is counted here.
 */
import { type Command, Entry, type Outcome } from "@steppe/proto";
import { violations } from "@steppe/scheduler/invariants";
import { type Changes, State } from "@steppe/state";
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

const RESOURCE_KINDS = new Set(["ApplyPlan", "UpdateAllocations", "RegisterNode", "UpdateNodeStatus"]);

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

  stored(index: number, payload: Uint8Array): Changes {
    const entry = Entry.decode(payload);
    const { lease } = this.state;
    const { outcomes, changes } = this.#apply(this.state, index, entry);
    this.#digests.set(index, this.state.digest.value);
    // As it was sent, in case `apply` was given something else.
    const sent = Entry.decode(payload);
    const claims = sent.Commands.some(({ Kind }) => Kind?.$case === "ClaimLease" || Kind?.$case === "ReleaseLease");
    for (const [i, command] of sent.Commands.entries()) {
      const outcome = outcomes[i];
      if (outcome === undefined || outcome.Refusal !== undefined || outcome.Index !== index) continue;
      this.#count(command, outcome);
      if (!claims) this.#checkTerm(index, command, lease, this.state.time);
    }
    if (sent.Commands.some(({ Kind }) => RESOURCE_KINDS.has(Kind?.$case ?? ""))) {
      for (const violation of violations(this.state)) this.#fail("scheduler", `after entry ${index}: ${violation}`);
    }
    return changes;
  }

  /** A replica has applied that entry. */
  compare(name: string, index: number, digest: number): void {
    const expected = this.#digests.get(index);
    if (expected !== undefined && expected !== digest) {
      this.#fail("digest", `${name} has digest ${digest} at index ${index}; the log gives ${expected}`);
    }
  }

  #count({ Kind }: Command, outcome: Outcome): void {
    if (Kind?.$case === "RegisterJob") {
      const mark = Kind.value.Job?.Meta.mark;
      if (mark !== undefined) this.effects.push({ index: outcome.Index, mark });
    }
    if (Kind?.$case === "LaunchPeriodic" && !Kind.value.Forced && outcome.JobID !== "") {
      const launch = { job: Kind.value.JobID, tickNs: Kind.value.LaunchTime, child: outcome.JobID };
      const other = this.launches.find(({ job, tickNs }) => job === launch.job && tickNs === launch.tickNs);
      if (other !== undefined) {
        this.#fail(
          "periodic",
          `tick ${launch.tickNs / 1e9} of ${launch.job} launched ${other.child} and ${launch.child}`,
        );
      }
      this.launches.push(launch);
    }
  }

  /** What a leader may do only while it leads. */
  #checkTerm(index: number, { Kind }: Command, lease: State["lease"], timeNs: number): void {
    const term = (Kind?.value as { Term?: number } | undefined)?.Term ?? 0;
    if (term === 0 || (lease?.Term === term && lease.Expires > timeNs)) return;
    this.#fail(
      "lease",
      `entry ${index} did ${Kind?.$case} for term ${term}, when the lease was of term ${lease?.Term}`,
    );
  }
}
