/**
 * Who waits for which command, and until when. The proposer sends; this keeps the promises.
 *
 * 1. A proposal is one command under one request ID; several callers may wait for it.
 * 2. A proposal is `queued` (nothing of it was ever stored), `sent`, `stored` (acknowledged), or
 *    `applied` here.
 * 3. A caller is answered once: by the outcome, by its deadline, by its signal, or by a failure.
 *    What its deadline says depends on the state: a queued or refused command did not and will
 *    not happen; of a sent one nobody can tell.
 * 4. A proposal without callers is forgotten; if it was queued it will never be sent.
 */
import { type Clock, SteppeError } from "@steppe/model";
import type { Command, Outcome } from "@steppe/proto";
import { DeadlineAlarm } from "./deadline-alarm.ts";

export type CommandKind = NonNullable<Command["Kind"]>;

/** What a caller gets: the outcome, and the index of the entry that it came with. */
export interface Answer {
  readonly index: number;
  readonly outcome: Outcome;
}

export interface Caller {
  /** On the clock's monotonic milliseconds. */
  readonly deadline: number;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

export interface Proposal {
  readonly requestId: string;
  /** The encoded command; let go with the proposal. */
  bytes: Uint8Array;
  /** What it sets that others compare and set by index. */
  readonly subject: string | undefined;
  /** It may wait for others to go with. */
  readonly patient: boolean;
  readonly callers: Set<Caller>;
  state: "queued" | "sent" | "stored" | "applied";
}

const NO_BYTES = new Uint8Array();

export class Proposals {
  readonly #clock: Clock;
  readonly #byRequestId = new Map<string, Proposal>();
  readonly #alarm: DeadlineAlarm;
  #onEmpty: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#alarm = new DeadlineAlarm(clock, (nowMs) => this.#expire(nowMs));
  }

  find(requestId: string): Proposal | undefined {
    return this.#byRequestId.get(requestId);
  }

  add(requestId: string, bytes: Uint8Array, subject: string | undefined, patient: boolean): Proposal {
    const proposal: Proposal = { requestId, bytes, subject, patient, callers: new Set(), state: "queued" };
    this.#byRequestId.set(requestId, proposal);
    return proposal;
  }

  /** Resolves or rejects as rule 3 says. */
  join(proposal: Proposal, timeoutMs: number, signal?: AbortSignal): Promise<Answer> {
    const deadline = this.#clock.monotonicMs() + timeoutMs;
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#leave(proposal, caller);
        reject(signal?.reason);
      };
      const caller: Caller = {
        deadline,
        resolve: (answer) => {
          signal?.removeEventListener("abort", stop);
          resolve(answer);
        },
        reject: (error) => {
          signal?.removeEventListener("abort", stop);
          reject(error);
        },
      };
      proposal.callers.add(caller);
      signal?.addEventListener("abort", stop, { once: true });
      this.#alarm.watch(deadline);
    });
  }

  /** The command was applied here. The proposal, when somebody waited for it. */
  applied(requestId: string, answer: Answer): Proposal | undefined {
    const proposal = this.#byRequestId.get(requestId);
    if (proposal === undefined) return undefined;
    proposal.state = "applied";
    for (const caller of proposal.callers) caller.resolve(answer);
    this.#forget(proposal);
    return proposal;
  }

  fail(proposal: Proposal, error: unknown): void {
    for (const caller of proposal.callers) caller.reject(error);
    this.#forget(proposal);
  }

  failAll(errorOf: (proposal: Proposal) => unknown): void {
    for (const proposal of [...this.#byRequestId.values()]) this.fail(proposal, errorOf(proposal));
  }

  /** Whether anybody still waits for it. */
  isWanted(proposal: Proposal): boolean {
    return proposal.callers.size > 0;
  }

  /** Resolves when nobody waits for anything; nothing may be added after the call. */
  async close(): Promise<void> {
    if (this.#byRequestId.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    this.#alarm.stop();
  }

  #leave(proposal: Proposal, caller: Caller): void {
    proposal.callers.delete(caller);
    if (proposal.callers.size === 0) this.#forget(proposal);
  }

  #forget(proposal: Proposal): void {
    proposal.callers.clear();
    // A map that was rehashed is garbage that holds what was in it then, until V8 collects the old generation.
    proposal.bytes = NO_BYTES;
    if (this.#byRequestId.get(proposal.requestId) === proposal) this.#byRequestId.delete(proposal.requestId);
    if (this.#byRequestId.size === 0) this.#onEmpty();
  }

  #expire(nowMs: number): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const proposal of [...this.#byRequestId.values()]) {
      for (const caller of [...proposal.callers]) {
        if (caller.deadline > nowMs) {
          earliest = Math.min(earliest, caller.deadline);
          continue;
        }
        caller.reject(deadlineError(proposal));
        this.#leave(proposal, caller);
      }
    }
    return earliest;
  }
}

/** The region's log cannot be asked, or told, from here. */
export function noQuorum(cause?: unknown): SteppeError {
  return new SteppeError("no-quorum", "No cluster leader", cause === undefined ? undefined : { cause });
}

function deadlineError(proposal: Proposal): SteppeError {
  switch (proposal.state) {
    case "queued":
      return noQuorum();
    case "sent":
      return new SteppeError(
        "outcome-unknown",
        "the log did not acknowledge the write in time; it may still take effect",
      );
    case "stored":
    case "applied":
      return new SteppeError(
        "outcome-unknown",
        "the write is stored and will take effect, but was not applied here in time",
      );
  }
}
