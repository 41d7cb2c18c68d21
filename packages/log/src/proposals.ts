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
 *
 * Tens of thousands come and go in a second. Those that were not named by their callers are told by the entry that they
 * were sent in, and none is kept in a `Map`: looking a new text up there is dear, and the tables that V8 leaves behind
 * as such a map is written to are garbage of the old generation, which holds what was in them until that is collected.
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
  /** Its caller gave the ID, and others may come with the same. */
  readonly isNamed: boolean;
  /** The encoded command; let go with the proposal. */
  bytes: Uint8Array;
  /** What it sets that others compare and set by index. */
  readonly subject: string | undefined;
  /** It may wait for others to go with. */
  readonly patient: boolean;
  readonly callers: Caller[];
  state: "queued" | "sent" | "stored" | "applied";
  /** Its place among the open ones. */
  place: number;
}

/** The commands of one entry, in its order. */
export type Batch = readonly Proposal[];

const NO_BYTES = new Uint8Array();

export class Proposals {
  readonly #clock: Clock;
  readonly #named = new Map<string, Proposal>();
  /** The first `#count` are those that somebody waits for. */
  readonly #open: (Proposal | undefined)[] = [];
  #count = 0;
  readonly #sent: Batch[] = [];
  readonly #alarm: DeadlineAlarm;
  #onEmpty: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#alarm = new DeadlineAlarm(clock, (nowMs) => this.#expire(nowMs));
  }

  /** The one that a caller named so. */
  find(requestId: string): Proposal | undefined {
    return this.#named.get(requestId);
  }

  add(given: Pick<Proposal, "requestId" | "isNamed" | "bytes" | "subject" | "patient">): Proposal {
    const { requestId, isNamed, bytes, subject, patient } = given;
    const place = this.#count++;
    const proposal: Proposal = { requestId, isNamed, bytes, subject, patient, callers: [], state: "queued", place };
    this.#open[place] = proposal;
    if (isNamed) this.#named.set(requestId, proposal);
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
      proposal.callers.push(caller);
      signal?.addEventListener("abort", stop, { once: true });
      this.#alarm.watch(deadline);
    });
  }

  /** They go to the log as one entry. */
  send(batch: Batch): void {
    for (const proposal of batch) proposal.state = "sent";
    this.#sent.push(batch);
  }

  /** That entry will not come up, or nobody waits for it. */
  forgetSent(batch: Batch): void {
    const at = this.#sent.indexOf(batch);
    if (at >= 0) this.#sent.splice(at, 1);
  }

  /** An entry was applied here. Its callers are answered, and those of a command of the same name. Returns its batch, if it was sent from here. */
  applied(
    commands: readonly Pick<Command, "RequestID">[],
    index: number,
    outcomes: readonly Outcome[],
  ): Batch | undefined {
    const batch = this.#sent.find((sent) => isBatchOf(commands, sent));
    if (batch !== undefined) this.forgetSent(batch);
    if (batch === undefined && this.#named.size === 0) return undefined;
    for (const [i, { RequestID }] of commands.entries()) {
      const proposal = batch === undefined ? this.#named.get(RequestID) : batch[i];
      const outcome = outcomes[i];
      if (proposal !== undefined && outcome !== undefined) this.#answer(proposal, { index, outcome });
    }
    return batch;
  }

  #answer(proposal: Proposal, answer: Answer): void {
    proposal.state = "applied";
    for (const caller of proposal.callers) caller.resolve(answer);
    this.#forget(proposal);
  }

  fail(proposal: Proposal, error: unknown): void {
    for (const caller of proposal.callers) caller.reject(error);
    this.#forget(proposal);
  }

  failAll(errorOf: (proposal: Proposal) => unknown): void {
    for (const proposal of this.#all()) this.fail(proposal, errorOf(proposal));
  }

  /** Whether anybody still waits for it. */
  isWanted(proposal: Proposal): boolean {
    return proposal.callers.length > 0;
  }

  /** Resolves when nobody waits for anything; nothing may be added after the call. */
  async close(): Promise<void> {
    if (this.#count > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    this.#alarm.stop();
  }

  #all(): Proposal[] {
    return this.#open.slice(0, this.#count) as Proposal[];
  }

  #leave(proposal: Proposal, caller: Caller): void {
    const at = proposal.callers.indexOf(caller);
    if (at >= 0) proposal.callers.splice(at, 1);
    if (proposal.callers.length === 0) this.#forget(proposal);
  }

  #forget(proposal: Proposal): void {
    proposal.callers.length = 0;
    proposal.bytes = NO_BYTES;
    if (this.#open[proposal.place] !== proposal) return;
    this.#count -= 1;
    const last = this.#open[this.#count] as Proposal;
    this.#open[proposal.place] = last;
    last.place = proposal.place;
    this.#open[this.#count] = undefined;
    if (proposal.isNamed) this.#named.delete(proposal.requestId);
    if (this.#count === 0) this.#onEmpty();
  }

  #expire(nowMs: number): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const proposal of this.#all()) {
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

function isBatchOf(commands: readonly Pick<Command, "RequestID">[], batch: Batch): boolean {
  return batch.length === commands.length && batch.every(({ requestId }, i) => requestId === commands[i]?.RequestID);
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
