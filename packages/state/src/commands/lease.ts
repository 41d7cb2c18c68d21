import type { ClaimLease, Outcome, ReleaseLease } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";

/** Whether a leader-only command comes from a leader that is no longer one. */
export function termPassed(state: State, term: number): boolean {
  return state.lease === undefined || state.lease.Term !== term || state.lease.Expires <= state.time;
}

/**
 * A claim holds if the last lease has run out in log time; a renewal, while its own has not. Log time can jump ahead, when
 * a server with a fast clock is back: so a claim must also know of the last renewal, which its sender has waited out.
 */
export function claimLease(state: State, step: Step, command: ClaimLease): Outcome {
  compareDigest(state, command);
  const held = state.lease;
  const free = held === undefined || held.Expires <= step.time;
  const renews = held !== undefined && command.Term !== 0;
  if (renews && (free || held.Term !== command.Term || held.Holder !== command.Holder)) {
    return refuse(step, "stale-term", `term ${command.Term} has passed`);
  }
  if (!renews && !free) return refuse(step, "stale-term", `the lease is held by ${held?.Holder}`);
  if (!renews && command.SeenIndex !== undefined && command.SeenIndex !== (held?.Index ?? 0)) {
    return refuse(step, "stale-term", "the lease changed since the claim was made");
  }
  if (!renews && isPromised(state, command.Holder, step.time)) {
    return refuse(step, "stale-term", `the lease was handed over to ${held?.Successor}`);
  }
  const term = renews ? held.Term : (held?.Term ?? 0) + 1;
  state.lease = {
    Term: term,
    Holder: command.Holder,
    Address: command.Address,
    HTTPAddress: command.HTTPAddress,
    Expires: step.time + command.TTL,
    Index: step.index,
    Successor: "",
    SuccessorUntil: 0,
  };
  state.digest.number(term);
  step.changes.lease = true;
  return done(step, { Term: term });
}

export function releaseLease(state: State, step: Step, command: ReleaseLease): Outcome {
  if (state.lease === undefined || termPassed(state, command.Term)) {
    return refuse(step, "stale-term", `term ${command.Term} has passed`);
  }
  // For as long as the lease would have lived: a successor that died meanwhile holds nobody up for longer.
  const SuccessorUntil = command.Successor === "" ? 0 : Math.max(state.lease.Expires, step.time);
  const handedOver = { Successor: command.Successor, SuccessorUntil };
  state.lease = { ...state.lease, Expires: step.time, Index: step.index, ...handedOver };
  step.changes.lease = true;
  return done(step);
}

/** Whether somebody else was named to have it next. */
function isPromised({ lease }: State, holder: string, time: number): boolean {
  return lease !== undefined && lease.Successor !== "" && lease.Successor !== holder && time < lease.SuccessorUntil;
}

/** This replica holds another state than the one that leads, at the same index. */
export class DigestMismatchError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DigestMismatchError";
  }
}

/** Two replicas at the same index with different digests hold different states: this one must not go on serving its own. */
function compareDigest(state: State, { Holder, DigestIndex, Digest }: ClaimLease): void {
  const own = state.digests.at(DigestIndex);
  if (own === undefined || own === Digest) return;
  throw new DigestMismatchError(
    `state digest ${own} at index ${DigestIndex} differs from ${Digest} of ${Holder}; this replica's state cannot be trusted`,
  );
}
