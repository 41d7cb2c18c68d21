/**
 * Puts commands into the log, many in one entry, and answers each with its outcome.
 *
 * 1. Two entries are on their way at most. What arrives meanwhile gathers into the next one, up to the log's
 *    payload limit (group commit). Behind an entry that is slow or was not taken none is sent, and behind any other
 *    one only at least half as many commands: an entry costs the same however few are in it. Two
 *    commands that set the same thing never share one (see `subjectOf`).
 * 2. A caller is answered when this replica has applied and kept its command, whichever copy of it. The
 *    state machine tells copies by the request ID, so the outcome is the first one's.
 * 3. An entry whose acknowledgement did not come is sent again, the same bytes, for as long as
 *    somebody waits for one of its commands that was not seen applied.
 * 4. Nothing is sent for a caller that gave up or whose deadline has passed.
 * 5. When the log is in doubt (an entry's fate stayed unknown) a barrier goes first, and commands
 *    only after it was acknowledged. So when a log stops taking writes, the commands of two entries at most
 *    have an unknown outcome; all later ones are refused for certain, and none of them comes up by
 *    surprise when the log is back.
 * 6. What is patient (see `isPatient`) goes with the next entry, or once the last entry is `gatherMs` old, or there is much of it.
 * 7. While nothing is heard of the log, what was not sent is refused at once, and not at its deadline: this
 *    process may be cut off alone, and another server take it in time.
 */
import { type Clock, type Logger, type Random, SteppeError } from "@steppe/model";
import type { Outcome } from "@steppe/proto";
import type { Applied, Applier } from "./applier.ts";
import { DeadlineAlarm } from "./deadline-alarm.ts";
import { encodeCommand, encodeEntry, entrySizeOf, framedSizeOf } from "./entry-bytes.ts";
import { AppendError, PayloadTooLargeError, type ReplicatedLog, SILENCE_MAX_MS } from "./log.ts";
import { isPatient } from "./patience.ts";
import { type Batch, type CommandKind, noQuorum, type Proposal, Proposals } from "./proposals.ts";
import { subjectOf } from "./subject.ts";

export interface ProposeOptions {
  /** Names the request over retries; by default each proposal is a request of its own. */
  readonly requestId?: string | undefined;
  /** Of what was asked for under that ID; the outcome tells that of the first request. */
  readonly fingerprint?: string | undefined;
  /** Ends the wait. A command that was sent may still take effect. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the caller wants an answer, whatever it is. */
  readonly timeoutMs?: number | undefined;
}

export interface Proposer {
  /**
   * Resolves with the outcome, which may be a refusal of the state machine. Rejects with
   * `SteppeError`: "too-large"; "no-quorum", when the command did not and will not take effect;
   * "outcome-unknown", when it may.
   */
  propose(kind: CommandKind, options?: ProposeOptions): Promise<Outcome>;
  /** Resolves with the index of an entry that was appended after the call and is applied here. */
  barrier(signal?: AbortSignal): Promise<number>;
  /** Takes no more; resolves when everyone who waits was answered. */
  close(): Promise<void>;
}

export interface ProposerOptions {
  /** Default for `timeoutMs`. */
  readonly timeoutMs: number;
  /** Most commands in one entry: more would hold up the event loop of every replica. */
  readonly commandsMax: number;
  /** Age of an entry from which on no other is sent behind it. */
  readonly slowMs: number;
  /** How long after an entry what is patient waits for another to go with, and how many bytes of it wait. */
  readonly gatherMs: number;
  readonly gatherBytes: number;
  /** Silence of the log after which this process counts as cut off. */
  readonly silenceMaxMs: number;
  /** Pause before the first retry; doubles up to the maximum. Up to half of it is jitter. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
}

const DEFAULTS: ProposerOptions = {
  timeoutMs: 10_000,
  commandsMax: 4096,
  slowMs: 250,
  gatherMs: 50,
  gatherBytes: 32 * 1024,
  silenceMaxMs: SILENCE_MAX_MS,
  retryMinMs: 20,
  // A NATS cluster elects a stream leader in a few seconds; this is not to add to it.
  retryMaxMs: 250,
};

export interface ProposerDependencies {
  readonly log: ReplicatedLog;
  /** Of this replica; listening begins at once. */
  readonly applier: Pick<Applier<unknown>, "onKept" | "onFatal">;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly options?: Partial<ProposerOptions>;
}

export function createProposer(dependencies: ProposerDependencies): Proposer {
  return new LogProposer(dependencies);
}

const BARRIER: CommandKind = { $case: "Barrier", value: {} };
const SEED_BYTES = 16;

/** An entry that was sent, until the log has it or it is given up. */
interface UnderWay {
  readonly batch: Batch;
  /** Since when, on the monotonic clock. */
  readonly sinceMs: number;
  /** The log did not take it at once. */
  failed: boolean;
  /** To be called when a record with it comes up here. */
  cameUp: () => void;
}

class LogProposer implements Proposer {
  readonly #log: ReplicatedLog;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #options: ProposerOptions;
  readonly #proposals: Proposals;
  readonly #stopListening: () => void;
  /** Rings when what is patient has waited long enough. */
  readonly #gathered: DeadlineAlarm;
  #queue: Proposal[] = [];
  #queuedBarrier: Proposal | undefined;
  /** Loops that send one entry after the other, two at most. */
  #senders = 0;
  /** One is about to begin. */
  #beginning = false;
  /** When the last entry was sent, on the monotonic clock. */
  #sentMs = Number.NEGATIVE_INFINITY;
  #inDoubt = false;
  readonly #underWay: UnderWay[] = [];
  #closed: SteppeError | undefined;

  constructor({ log, applier, clock, random, logger, options }: ProposerDependencies) {
    this.#log = log;
    this.#clock = clock;
    this.#random = random;
    this.#logger = logger;
    this.#options = { ...DEFAULTS, ...options };
    this.#proposals = new Proposals(clock);
    this.#gathered = new DeadlineAlarm(clock, () => {
      this.#go();
      return Number.POSITIVE_INFINITY;
    });
    this.#stopListening = applier.onKept((applied) => this.#answer(applied));
    applier.onFatal((error) => this.#stop(error));
  }

  async propose(kind: CommandKind, options: ProposeOptions = {}): Promise<Outcome> {
    const { requestId, fingerprint, signal, timeoutMs = this.#options.timeoutMs } = options;
    if (this.#closed !== undefined) throw this.#closed;
    signal?.throwIfAborted();
    const known = requestId === undefined ? undefined : this.#proposals.find(requestId);
    const proposal = known ?? this.#enqueue(kind, requestId, fingerprint);
    return (await this.#proposals.join(proposal, timeoutMs, signal)).outcome;
  }

  async barrier(signal?: AbortSignal): Promise<number> {
    if (this.#closed !== undefined) throw this.#closed;
    signal?.throwIfAborted();
    const queued = this.#queuedBarrier;
    const shared = queued !== undefined && this.#proposals.isWanted(queued);
    const proposal = shared ? queued : this.#enqueue(BARRIER);
    this.#queuedBarrier = proposal;
    return (await this.#proposals.join(proposal, this.#options.timeoutMs, signal)).index;
  }

  async close(): Promise<void> {
    this.#closed ??= new SteppeError("no-quorum", "the server is shutting down");
    await this.#proposals.close();
    this.#gathered.stop();
    this.#stopListening();
  }

  #answer({ index, entry, outcomes }: Applied<unknown>): void {
    const batch = this.#proposals.applied(entry.Commands, index, outcomes);
    if (batch !== undefined) this.#underWay.find((sent) => sent.batch === batch)?.cameUp();
  }

  #stop(error: Error): void {
    this.#closed ??= new SteppeError("no-quorum", "this server's replica has stopped", { cause: error });
    const closed = this.#closed;
    const unknown = new SteppeError("outcome-unknown", "this server's replica has stopped; the write may take effect", {
      cause: error,
    });
    this.#proposals.failAll((proposal) => (proposal.state === "queued" ? closed : unknown));
  }

  #enqueue(kind: CommandKind, name?: string, fingerprint?: string): Proposal {
    if (this.#isCutOff()) throw noQuorum();
    const requestId = name ?? this.#random.id();
    const bytes = encodeCommand(requestId, this.#random.bytes(SEED_BYTES), kind, fingerprint);
    const max = this.#log.payloadMax;
    if (entrySizeOf(bytes) > max) throw tooLarge(bytes.length, max);
    const proposal = this.#proposals.add({
      ...{ requestId, isNamed: name !== undefined, bytes },
      ...{ subject: subjectOf(kind), patient: isPatient(kind) },
    });
    this.#queue.push(proposal);
    this.#go();
    return proposal;
  }

  /** Sends what is queued once it is due, unless it has to wait for an entry that is under way. */
  #go(): void {
    if (this.#beginning || !this.#mayGo(this.#senders)) return;
    const dueMs = this.#dueMs();
    if (dueMs > this.#clock.monotonicMs()) {
      this.#gathered.watch(dueMs);
      return;
    }
    this.#beginning = true;
    // Not at once: requests that the event loop found at the same time go into the same entry.
    const begin = () => {
      this.#beginning = false;
      void this.#run();
    };
    if (this.#clock.afterTurn === undefined) queueMicrotask(begin);
    else this.#clock.afterTurn(begin);
  }

  /** Rule 1, for one sender beside so many others. */
  #mayGo(others: number): boolean {
    if (others === 0) return true;
    const [first] = this.#underWay;
    // Without an entry, the other one makes sure of the log, or pauses.
    if (others > 1 || first === undefined || first.failed) return false;
    const ageMs = this.#clock.monotonicMs() - first.sinceMs;
    return ageMs < this.#options.slowMs && 2 * this.#queue.length >= first.batch.length;
  }

  /** When an entry has to go (rule 6), on the monotonic clock; infinite while nothing is queued. */
  #dueMs(): number {
    const { gatherMs, gatherBytes } = this.#options;
    let size = 0;
    for (const { bytes, patient } of this.#queue) {
      size += bytes.length;
      if (!patient || size > gatherBytes) return Number.NEGATIVE_INFINITY;
    }
    return size === 0 ? Number.POSITIVE_INFINITY : this.#sentMs + gatherMs;
  }

  async #run(): Promise<void> {
    this.#senders += 1;
    let failures = 0;
    while (this.#dropUnwanted() && (failures > 0 || this.#isDue())) {
      if (failures > 0) {
        await this.#pause(failures);
        if (!this.#dropUnwanted()) break;
      }
      const sent = this.#inDoubt ? await this.#probe() : await this.#sendEntry(this.#gather());
      failures = sent ? 0 : failures + 1;
    }
    this.#senders -= 1;
    if (this.#queue.length > 0) this.#go();
  }

  #isDue(): boolean {
    return this.#mayGo(this.#senders - 1) && this.#dueMs() <= this.#clock.monotonicMs();
  }

  /** Drops what nobody waits for any more (rule 4), and refuses the rest while cut off (rule 7); false when nothing is left. */
  #dropUnwanted(): boolean {
    if (this.#isCutOff()) for (const proposal of this.#queue) this.#proposals.fail(proposal, noQuorum());
    if (!this.#queue.every((proposal) => this.#proposals.isWanted(proposal))) {
      this.#queue = this.#queue.filter((proposal) => this.#proposals.isWanted(proposal));
    }
    return this.#queue.length > 0;
  }

  #isCutOff(): boolean {
    return this.#log.silenceMs() > this.#options.silenceMaxMs;
  }

  /** Takes from the queue what fits into one entry: at least one command. */
  #gather(): Proposal[] {
    const room = this.#log.payloadMax;
    const { commandsMax } = this.#options;
    const subjects = new Set<string>();
    let size = 0;
    let count = 0;
    for (const { bytes, subject } of this.#queue) {
      size += count === 0 ? entrySizeOf(bytes) : framedSizeOf(bytes);
      if (count > 0 && (size > room || count === commandsMax)) break;
      if (subject !== undefined) {
        if (subjects.has(subject)) break;
        subjects.add(subject);
      }
      count++;
    }
    const batch = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    if (this.#queuedBarrier !== undefined && batch.includes(this.#queuedBarrier)) this.#queuedBarrier = undefined;
    return batch;
  }

  /** Rule 3. False when it should be tried again, or something else first, after a pause. */
  async #sendEntry(batch: Batch): Promise<boolean> {
    const payload = encodeEntry(
      this.#clock.wallNs(),
      batch.map(({ bytes }) => bytes),
    );
    this.#proposals.send(batch);
    this.#sentMs = this.#clock.monotonicMs();
    const entry: UnderWay = { batch, sinceMs: this.#sentMs, failed: false, cameUp: () => undefined };
    this.#underWay.push(entry);
    try {
      return await this.#sendUntilTaken(payload, entry);
    } catch (error) {
      if (!(error instanceof PayloadTooLargeError)) throw error;
      this.#leave(entry);
      this.#proposals.forgetSent(batch);
      return await this.#sendSingly(batch, error);
    } finally {
      this.#leave(entry);
    }
  }

  #leave(entry: UnderWay): void {
    const at = this.#underWay.indexOf(entry);
    if (at >= 0) this.#underWay.splice(at, 1);
  }

  async #sendUntilTaken(payload: Uint8Array, entry: UnderWay): Promise<boolean> {
    const { batch } = entry;
    let maybeStored = false;
    for (let failures = 1; ; failures++) {
      try {
        await this.#append(payload, entry);
        return true;
      } catch (error) {
        if (error instanceof PayloadTooLargeError) throw error;
        entry.failed = true;
        maybeStored ||= !(error instanceof AppendError && error.outcome === "refused");
        this.#logger.warn(
          { err: error, commands: batch.length, failures, maybeStored },
          "the log did not take an entry",
        );
      }
      if (!maybeStored) {
        this.#proposals.forgetSent(batch);
        this.#requeue(batch);
        return false;
      }
      await this.#pause(failures);
      this.#dropUnwanted();
      if (!batch.some((proposal) => this.#proposals.isWanted(proposal))) {
        // Either it came up, and the log is well, or all gave up, and nobody knows.
        this.#inDoubt ||= !batch.some((proposal) => proposal.state === "applied");
        this.#proposals.forgetSent(batch);
        return true;
      }
    }
  }

  /** Until the log has it: it was acknowledged, or came up here, whichever is first. */
  async #append(payload: Uint8Array, entry: UnderWay): Promise<void> {
    const cameUp = new Promise<void>((resolve) => {
      entry.cameUp = resolve;
    });
    const acknowledged = this.#log.append(payload).then(() => {
      for (const proposal of entry.batch) if (proposal.state === "sent") proposal.state = "stored";
    });
    await Promise.race([acknowledged, cameUp]);
  }

  /** Rule 5. */
  async #probe(): Promise<boolean> {
    const command = encodeCommand(this.#random.id(), this.#random.bytes(SEED_BYTES), BARRIER);
    try {
      await this.#log.append(encodeEntry(this.#clock.wallNs(), [command]));
      this.#inDoubt = false;
      return true;
    } catch (error) {
      this.#logger.warn({ err: error }, "the log takes no writes");
      return false;
    }
  }

  // In front: they came first.
  #requeue(batch: Batch): void {
    for (const proposal of batch) proposal.state = "queued";
    this.#queue = [...batch, ...this.#queue];
  }

  /** The log's limit became smaller since they were gathered: whatever still fits goes on its own. */
  async #sendSingly(batch: Batch, error: PayloadTooLargeError): Promise<boolean> {
    const [first, ...others] = batch;
    if (first !== undefined && others.length === 0) {
      this.#proposals.fail(first, new SteppeError("too-large", error.message, { cause: error }));
      return true;
    }
    let sent = true;
    for (const proposal of batch) {
      if (this.#proposals.isWanted(proposal)) sent = (await this.#sendEntry([proposal])) && sent;
    }
    return sent;
  }

  async #pause(failures: number): Promise<void> {
    const { retryMinMs, retryMaxMs } = this.#options;
    const full = Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(failures - 1, 10));
    await this.#clock.after(full * (1 - this.#random.fraction() / 2));
  }
}

function tooLarge(bytes: number, max: number): SteppeError {
  return new SteppeError("too-large", `the request takes ${bytes} bytes of the log; the limit is ${max} bytes`);
}
