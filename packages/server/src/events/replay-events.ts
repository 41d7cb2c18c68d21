// Events of entries that are no longer at hand: derived again, by applying what the log keeps to a state of its own.
import type { LogRecord, ReplicatedLog } from "@steppe/log";
import { SteppeError } from "@steppe/model";
import { Entry } from "@steppe/proto";
import { apply, decodeSnapshot, State } from "@steppe/state";
import type { EntryEvents } from "@steppe/watch";
import type { LocalStore } from "../durability/local-store.ts";
import { deriveEvents } from "./derive-events.ts";

export interface ReplayRange {
  /** The first that is wanted. */
  readonly index: number;
  /** The first that need not be read back. */
  readonly atHand: number;
}

/**
 * Entries with events from `index` on, as far as they are there. It begins at the newest snapshot before `index`, which
 * may be a server's last but one, and holds a second state while it is read. Rejects with `invalid`, which names the
 * oldest index there is, when every snapshot is newer than what is asked for.
 */
export async function replayEvents(
  log: ReplicatedLog,
  store: LocalStore | undefined,
  { index, atHand }: ReplayRange,
  signal: AbortSignal,
): Promise<AsyncIterable<EntryEvents>> {
  if (store !== undefined) return await replayJournal(store, { index, atHand }, signal);
  const snapshot = await log.loadSnapshot();
  const first = snapshot === undefined ? await log.firstIndex(signal) : snapshot.index + 1;
  if (index < first) throw tooOld(index, Math.min(first, atHand));
  const state = snapshot === undefined ? new State() : decodeSnapshot(snapshot.data);
  return readFrom(log, state, snapshot?.index ?? first - 1, signal);
}

/** Ends where the journal does: what is behind that is at hand. */
async function replayJournal(
  store: LocalStore,
  { index, atHand }: ReplayRange,
  signal: AbortSignal,
): Promise<AsyncIterable<EntryEvents>> {
  const state = await store.loadBefore(index);
  if (state === undefined) throw tooOld(index, Math.min(await store.oldest(), atHand));
  const { journal } = store;
  return (async function* () {
    while (state.index < journal.last && !signal.aborted) {
      // A snapshot made meanwhile took the journal's beginning with it.
      if (state.index + 1 < journal.first) throw tooOld(state.index + 1, await store.oldest());
      yield* applied(state, await journal.read(state.index + 1));
    }
  })();
}

function* applied(state: State, records: readonly LogRecord[]): Generator<EntryEvents> {
  for (const record of records) {
    const entry = Entry.decode(record.payload);
    const events = deriveEvents(entry, apply(state, record.index, entry).changes, state);
    // An index without events is told too: the reader sees how far this has come.
    yield events ?? { index: record.index, size: 0, events: () => [] };
  }
}

async function* readFrom(
  log: ReplicatedLog,
  state: State,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<EntryEvents> {
  const done = new AbortController();
  const handover = new Handover();
  const ends = AbortSignal.any([signal, done.signal]);
  const tail = log
    .tail(after, (records) => handover.give(records), ends)
    .then(
      () => handover.close(undefined),
      (error: unknown) => handover.close(error),
    );
  try {
    for (let records = await handover.take(); records !== undefined; records = await handover.take()) {
      yield* applied(state, records);
    }
  } finally {
    done.abort();
    handover.close(undefined);
    await tail;
  }
}

/** Records from the log to a reader, one batch at a time: the log waits while the reader is busy. */
class Handover {
  #batch: readonly LogRecord[] | undefined;
  #error: unknown;
  #closed = false;
  #wake: () => void = () => undefined;

  async give(records: readonly LogRecord[]): Promise<void> {
    this.#batch = records;
    this.#wake();
    while (this.#batch !== undefined && !this.#closed) await this.#woken();
  }

  async take(): Promise<readonly LogRecord[] | undefined> {
    // The batch given last has been worked off.
    for (;;) {
      const batch = this.#batch;
      if (batch !== undefined) {
        this.#batch = undefined;
        this.#wake();
        return batch;
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#closed) return undefined;
      await this.#woken();
    }
  }

  close(error: unknown): void {
    this.#error ??= error;
    this.#closed = true;
    this.#wake();
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      const before = this.#wake;
      this.#wake = () => {
        this.#wake = () => undefined;
        before();
        resolve();
      };
    });
  }
}

function tooOld(index: number, first: number): SteppeError {
  const text = `events of index ${index} are no longer in the log: the oldest index it still has is ${first}`;
  return new SteppeError("invalid", text);
}
