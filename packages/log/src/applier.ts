/**
 * The loop that keeps a replica: reads the log in order and hands each entry to the state machine.
 *
 * Its duties, for each record, in this order:
 * 1. Decode the entry. A record that does not decode, or a command this version does not know,
 *    stops the replica: skipping it would make this replica's state differ from the others'.
 * 2. Apply it, all commands at once; nothing can run between two commands of an entry.
 * 3. Tell the listeners of `onApplied`, in the order in which they came: those who decide what goes into the log
 *    next. They run before the next entry is applied, and must not throw.
 * 4. When the log says that the records are kept on the own disk too, and not before, tell the listeners of
 *    `onKept`: what leaves this process follows from there. The proposer answers its callers, watchers wake.
 *    Then let go whoever waits for the index. Nothing more is applied before that.
 * 5. In a long catch-up, give the event loop a turn between entries.
 *
 * Whatever fails stops the loop for good: `onFatal` listeners are told once, and every waiter is
 * rejected. The process should end and start again from a snapshot.
 */
import type { Clock, Logger } from "@steppe/model";
import { Entry, type Outcome } from "@steppe/proto";
import { IndexWaiters } from "./index-waiters.ts";
import { LogGapError, type LogRecord, type ReplicatedLog } from "./log.ts";
import type { StateMachine } from "./machine.ts";

export interface Applied<Changes> {
  readonly index: number;
  readonly entry: Entry;
  /** Of the entry in the log. */
  readonly bytes: number;
  /** One for each command of the entry, in its order. */
  readonly outcomes: readonly Outcome[];
  readonly changes: Changes;
}

export interface Applier<Changes> {
  /** Index of the last entry applied here. */
  readonly appliedIndex: number;
  /** Index of the last entry that is applied, and on the own disk where one is kept there. */
  readonly keptIndex: number;
  /** What stopped the replica, if anything did. */
  readonly failure: Error | undefined;
  /** Begins to read, after the state machine's index. Listeners added before hear every entry. */
  start(): void;
  /** Resolves once entry `index` is applied and kept here. Rejects when the signal aborts or the replica stops. */
  waitFor(index: number, signal?: AbortSignal): Promise<void>;
  /** As `waitFor`, but does not wait until it is kept: for whoever tells nobody but the log. */
  waitForApplied(index: number, signal?: AbortSignal): Promise<void>;
  /** Calls `listener` for every entry, synchronously, in order, as it is applied; returns the way to stop that. */
  onApplied(listener: (applied: Applied<Changes>) => void): () => void;
  /** The same once it is kept too. The state may be further by the other entries of one delivery. */
  onKept(listener: (applied: Applied<Changes>) => void): () => void;
  /** Calls `listener` once when the replica has stopped for good, at once if it has. */
  onFatal(listener: (error: Error) => void): void;
  /** Stops reading; resolves when the last entry begun is applied. The log stays open. */
  close(): Promise<void>;
}

export interface ApplierOptions<Changes> {
  readonly log: Pick<ReplicatedLog, "tail">;
  readonly machine: StateMachine<Changes>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Longest stretch of applying without a turn for requests and timers. */
const SLICE_MS = 8;

export function createApplier<Changes>(options: ApplierOptions<Changes>): Applier<Changes> {
  return new LogApplier(options);
}

class LogApplier<Changes> implements Applier<Changes> {
  readonly #log: Pick<ReplicatedLog, "tail">;
  readonly #machine: StateMachine<Changes>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #waiters = new IndexWaiters();
  readonly #appliedWaiters = new IndexWaiters();
  readonly #listeners = new Set<(applied: Applied<Changes>) => void>();
  readonly #keptListeners = new Set<(applied: Applied<Changes>) => void>();
  readonly #fatalListeners: ((error: Error) => void)[] = [];
  readonly #stop = new AbortController();
  #keptIndex: number;
  #running: Promise<void> | undefined;
  #failure: Error | undefined;

  constructor(options: ApplierOptions<Changes>) {
    this.#log = options.log;
    this.#machine = options.machine;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#keptIndex = this.#machine.index;
  }

  get appliedIndex(): number {
    return this.#machine.index;
  }

  get keptIndex(): number {
    return this.#keptIndex;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  waitFor(index: number, signal?: AbortSignal): Promise<void> {
    return index <= this.#keptIndex ? Promise.resolve() : this.#wait(this.#waiters, index, signal);
  }

  waitForApplied(index: number, signal?: AbortSignal): Promise<void> {
    return index <= this.#machine.index ? Promise.resolve() : this.#wait(this.#appliedWaiters, index, signal);
  }

  #wait(waiters: IndexWaiters, index: number, signal?: AbortSignal): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#stop.signal.aborted) return Promise.reject(new Error("the replica is closed"));
    return waiters.add(index, signal);
  }

  onApplied(listener: (applied: Applied<Changes>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onKept(listener: (applied: Applied<Changes>) => void): () => void {
    this.#keptListeners.add(listener);
    return () => this.#keptListeners.delete(listener);
  }

  onFatal(listener: (error: Error) => void): void {
    if (this.#failure !== undefined) listener(this.#failure);
    else this.#fatalListeners.push(listener);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#rejectAll(new Error("the replica is closed"));
  }

  async #run(): Promise<void> {
    try {
      await this.#log.tail(this.#machine.index, (records, kept) => this.#deliver(records, kept), this.#stop.signal);
    } catch (error) {
      // A log that is closed before the replica is not a failure of the replica.
      if (!this.#stop.signal.aborted) this.#fail(error);
    }
  }

  #deliver(records: readonly LogRecord[], kept: Promise<void> | undefined): void | Promise<void> {
    return kept === undefined ? this.#take(records, (applied) => this.#keep(applied)) : this.#takeAhead(records, kept);
  }

  async #takeAhead(records: readonly LogRecord[], kept: Promise<void>): Promise<void> {
    const ahead: Applied<Changes>[] = [];
    await this.#take(records, (applied) => ahead.push(applied));
    await kept;
    for (const applied of ahead) this.#keep(applied);
  }

  #take(records: readonly LogRecord[], done: (applied: Applied<Changes>) => void, from = 0): void | Promise<void> {
    const sliceEnd = this.#clock.monotonicMs() + SLICE_MS;
    for (let i = from; i < records.length; i++) {
      // After `close`, only the entry begun is finished.
      if (this.#stop.signal.aborted) return;
      done(this.#apply(records[i] as LogRecord));
      if (i + 1 < records.length && this.#clock.monotonicMs() >= sliceEnd) {
        return new Promise((resolve) => setImmediate(resolve)).then(() => this.#take(records, done, i + 1));
      }
    }
  }

  #apply(record: LogRecord): Applied<Changes> {
    const entry = decode(record);
    if (record.index !== this.#machine.index + 1) {
      throw new LogGapError(`the log brought record ${record.index} after ${this.#machine.index}`);
    }
    const { outcomes, changes } = this.#machine.apply(record.index, entry);
    const applied: Applied<Changes> = { index: record.index, entry, bytes: record.payload.length, outcomes, changes };
    for (const listener of this.#listeners) listener(applied);
    this.#appliedWaiters.reached(record.index);
    return applied;
  }

  #keep(applied: Applied<Changes>): void {
    this.#keptIndex = applied.index;
    for (const listener of this.#keptListeners) listener(applied);
    this.#waiters.reached(applied.index);
  }

  #fail(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    this.#failure = error;
    this.#logger.error({ err: error, index: this.#machine.index }, "the replica has stopped");
    this.#rejectAll(error);
    for (const listener of this.#fatalListeners.splice(0)) listener(error);
  }

  #rejectAll(error: Error): void {
    this.#waiters.rejectAll(error);
    this.#appliedWaiters.rejectAll(error);
  }
}

function decode({ index, payload }: LogRecord): Entry {
  let entry: Entry;
  try {
    entry = Entry.decode(payload);
  } catch (error) {
    throw new Error(`record ${index} of the log does not decode`, { cause: error });
  }
  for (const [i, command] of entry.Commands.entries()) {
    if (command.Kind === undefined) {
      throw new Error(
        `command ${i} of record ${index} (request ${command.RequestID}) is of a kind that this version does not know: ` +
          "run the version of the servers that wrote it, or a later one",
      );
    }
  }
  return entry;
}
