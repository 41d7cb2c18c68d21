import { createReadStream } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Logger } from "@steppe/model";
import type {
  FromThread,
  LogBounds,
  SnapshotHead,
  ThreadAnswer,
  ThreadCall,
  ThreadOptions,
  ToThread,
} from "./embedded-protocol.ts";
import { RECORD_HEAD_BYTES } from "./journal/segment.ts";
import { linkOrCopy } from "./link-or-copy.ts";
import {
  AppendError,
  LogGapError,
  type LogRecord,
  PayloadTooLargeError,
  type ReplicatedLog,
  type SnapshotData,
} from "./log.ts";
import { orAborted } from "./or-aborted.ts";
import { RecentRecords } from "./recent-records.ts";
import { createSignalGate } from "./signal-gate.ts";
import { readSnapshotFile } from "./snapshots/snapshot-file.ts";

export interface EmbeddedLogOptions {
  /** The file; made when it is absent, its folder is not. One process at a time may have it open. */
  readonly path: string;
  readonly logger: Logger;
  /** Default 1 MiB, what NATS takes, so that nothing works embedded that would not work on a cluster. */
  readonly payloadMax?: number;
  /** Index before the first record of a new log. Default 0; ignored when the log exists. */
  readonly base?: number;
}

const PAYLOAD_MAX = 1024 * 1024;
const SNAPSHOT_CHUNK = 1024 * 1024;
/** What one read of a snapshot file brings, bytes. */
const FILE_READ = 1024 * 1024;
/** What one read for a tail that is behind brings at most, bytes. */
const READ_MAX = 1024 * 1024;
/** Newest records kept in memory for the tails, bytes. */
const RECENT_MAX = 8 * 1024 * 1024;

export interface EmbeddedLog extends ReplicatedLog {
  /** Drops every record and goes on behind a snapshot of `index`, which is past them all. Tails reject. */
  restart(index: number, data: SnapshotData): Promise<void>;
  /**
   * As `saveSnapshot`, of the snapshot file at `path` (`SnapshotFolder`), which is durable. The log keeps the file itself, by a name of
   * its own: nothing is copied, where the file system has hard links. Given up when the signal aborts: the one before stays.
   */
  saveSnapshotFile(index: number, path: string, signal: AbortSignal): Promise<void>;
  /**
   * Records from..to as a journal has them, some at a time. Each piece lies where the next will: it has to be used up
   * before that is asked for. So this thread has no garbage of it, however much there is. Throws `LogGapError` when one was dropped, `RangeError` when the log ends before.
   */
  pieces(from: number, to: number): AsyncGenerator<Uint8Array>;
}

/**
 * Opens the log in the file at `path`. Rejects with a clear error when the file is damaged, is no
 * log, or is open in another process.
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  // Sources run as TypeScript, builds as JavaScript; the thread's file has the extension of this one.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const data: ThreadOptions = { path: options.path, base: options.base ?? 0 };
  const thread = new Worker(new URL(`./embedded-thread.${extension}`, import.meta.url), {
    workerData: data,
    name: "log",
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  const { bounds, snapshot } = await opened(thread);
  // One that was not made the snapshot before a crash, or no longer was.
  await removeFiles(options.path, snapshot);
  return new SqliteLog(thread, bounds, snapshot, options);
}

function opened(thread: Worker): Promise<Extract<FromThread, { kind: "opened" }>> {
  return new Promise((resolve, reject) => {
    thread.once("error", reject);
    thread.once("message", (message: FromThread) => {
      thread.off("error", reject);
      if (message.kind === "opened") resolve(message);
      else
        reject(
          new Error(
            message.kind === "open-failed" ? message.message : `unexpected ${message.kind} from the log thread`,
          ),
        );
    });
  });
}

interface PendingAppend {
  readonly payload: Uint8Array;
  resolve(index: number): void;
  reject(error: Error): void;
}

interface PendingCall {
  resolve(value: ThreadAnswer[keyof ThreadAnswer]): void;
  reject(error: Error): void;
}

class SqliteLog implements EmbeddedLog {
  readonly payloadMax: number;
  readonly #path: string;
  readonly #thread: Worker;
  readonly #logger: Logger;
  /** What some tail has still to read, the oldest beyond the limit excepted. */
  readonly #recent = new RecentRecords(RECENT_MAX);
  /** Each with the index that it reads next. */
  readonly #tails: Set<{ next: number }> = new Set();
  readonly #grown = createSignalGate();
  readonly #appends: PendingAppend[] = [];
  readonly #calls = new Map<number, PendingCall>();
  #nextCall = 1;
  #nextSnapshot: number;
  #first: number;
  #last: number;
  /** Why no more calls are taken: the log is closed or its thread died. */
  #ended: Error | undefined;

  constructor(thread: Worker, bounds: LogBounds, snapshot: SnapshotHead | undefined, options: EmbeddedLogOptions) {
    this.payloadMax = options.payloadMax ?? PAYLOAD_MAX;
    this.#path = options.path;
    this.#thread = thread;
    this.#logger = options.logger;
    this.#first = bounds.first;
    this.#last = bounds.last;
    this.#nextSnapshot = (snapshot?.snapshot ?? 0) + 1;
    thread.on("message", (message: FromThread) => this.#receive(message));
    thread.on("error", (error) => this.#threadDied(error instanceof Error ? error : new Error(String(error))));
    thread.on("exit", (code) => this.#threadDied(new Error(`the log thread ended with code ${code}`)));
  }

  append(payload: Uint8Array, signal?: AbortSignal): Promise<number> {
    if (payload.length > this.payloadMax)
      return Promise.reject(new PayloadTooLargeError(payload.length, this.payloadMax));
    if (this.#ended !== undefined) return Promise.reject(new AppendError("refused", this.#ended.message));
    if (signal?.aborted)
      return Promise.reject(new AppendError("refused", "given up before it was sent", { cause: signal.reason }));
    const index = new Promise<number>((resolve, reject) => {
      this.#appends.push({ payload, resolve, reject });
    });
    // Copied to a buffer of its own: a view would be cloned with everything behind it.
    const copy = new Uint8Array(payload);
    this.#post({ kind: "append", payload: copy }, [copy.buffer]);
    return signal === undefined ? index : orAborted(index, signal, givenUp);
  }

  async tail(
    after: number,
    deliver: (records: readonly LogRecord[]) => void | Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const reader = { next: after + 1 };
    this.#tails.add(reader);
    try {
      await this.#follow(reader, deliver, signal);
    } finally {
      this.#tails.delete(reader);
    }
  }

  async #follow(
    reader: { next: number },
    deliver: (records: readonly LogRecord[]) => void | Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const after = reader.next - 1;
    while (!signal.aborted) {
      const { next } = reader;
      if (this.#ended !== undefined) throw this.#ended;
      this.#assertKept(next);
      if (after > this.#last)
        throw new LogGapError(`the log ends at ${this.#last}, before ${after}: its tail was lost`);
      if (next > this.#last) {
        await this.#grown.wait(signal);
        continue;
      }
      const records = this.#recent.from(next) ?? (await this.#read(next));
      if (records.length === 0) continue;
      const busy = deliver(records);
      if (busy !== undefined) await busy;
      reader.next += records.length;
      this.#letGo();
    }
  }

  /**
   * What all have read. A payload that lives on for a second is garbage of the old generation, and V8 collects that
   * by how many bytes lie in buffers, long before the heap calls for it.
   */
  #letGo(): void {
    let through = Number.POSITIVE_INFINITY;
    for (const { next } of this.#tails) through = Math.min(through, next - 1);
    this.#recent.dropThrough(through);
  }

  #assertKept(index: number): void {
    if (index < this.#first) throw new LogGapError(`record ${index} was dropped; the oldest kept is ${this.#first}`);
  }

  async *pieces(from: number, to: number): AsyncGenerator<Uint8Array> {
    const into = new Uint8Array(new SharedArrayBuffer(RECORD_HEAD_BYTES + Math.max(this.payloadMax, READ_MAX)));
    for (let next = from; next <= to; ) {
      this.#assertKept(next);
      const { records, bytes } = await this.#call({ name: "copy", from: next, to, into });
      if (records === 0) throw new RangeError(`the log ends before record ${next}`);
      yield into.subarray(0, bytes);
      next += records;
    }
  }

  get lastIndexHere(): number | undefined {
    return this.#ended === undefined ? this.#last : undefined;
  }

  async lastIndex(): Promise<number> {
    if (this.#ended !== undefined) throw this.#ended;
    return this.#last;
  }

  async firstIndex(): Promise<number> {
    if (this.#ended !== undefined) throw this.#ended;
    return this.#first;
  }

  async truncate(index: number): Promise<void> {
    if (index > this.#last) throw new RangeError(`cannot truncate to ${index}: the log ends at ${this.#last}`);
    // Set first: a tail must not meet the hole while it is being made.
    this.#first = Math.max(this.#first, index + 1);
    this.#recent.dropThrough(index);
    await this.#call({ name: "truncate", index });
  }

  async saveSnapshot(index: number, data: SnapshotData): Promise<void> {
    await this.#commit(await this.#saveChunks(index, data));
  }

  async saveSnapshotFile(index: number, path: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await assertOf(index, path);
    const snapshot = this.#nextSnapshot++;
    const file = fileOf(this.#path, snapshot);
    await linkOrCopy(path, file);
    const { size } = await stat(file);
    signal.throwIfAborted();
    await this.#commit({ index, snapshot, chunks: 0, bytes: size, isFile: true });
  }

  async #commit(head: SnapshotHead): Promise<void> {
    await this.#call({ name: "snapshot-commit", head });
    await removeFiles(this.#path, head);
  }

  async restart(index: number, data: SnapshotData): Promise<void> {
    const head = await this.#saveChunks(index, data);
    if (index <= this.#last) throw new RangeError(`cannot go on behind ${index}: the log ends at ${this.#last}`);
    // Set first: no tail may go over the gap.
    this.#first = index + 1;
    this.#recent.dropThrough(this.#last);
    await this.#call({ name: "snapshot-restart", head });
    this.#last = index;
    this.#grown.open();
    await removeFiles(this.#path, head);
  }

  async #saveChunks(index: number, data: SnapshotData): Promise<SnapshotHead> {
    const snapshot = this.#nextSnapshot++;
    let [chunks, bytes] = [0, 0];
    for await (const piece of inChunks(data)) {
      await this.#call({ name: "snapshot-chunk", snapshot, n: chunks++, data: new Uint8Array(piece) });
      bytes += piece.length;
    }
    return { index, chunks, bytes, snapshot };
  }

  async loadSnapshot(): Promise<{ readonly index: number; readonly data: Uint8Array } | undefined> {
    const head = await this.#call({ name: "snapshot-head" });
    if (head === undefined) return undefined;
    // A file has more bytes than its records.
    const data = new Uint8Array(head.bytes);
    let filled = 0;
    for await (const piece of head.isFile === true
      ? recordsAt(fileOf(this.#path, head.snapshot))
      : this.#chunks(head)) {
      data.set(piece, filled);
      filled += piece.length;
    }
    return { index: head.index, data: data.subarray(0, filled) };
  }

  async *#chunks({ snapshot, chunks }: SnapshotHead): AsyncGenerator<Uint8Array> {
    for (let n = 0; n < chunks; n++) yield await this.#call({ name: "snapshot-read", snapshot, n });
  }

  silenceMs(): number {
    return this.#ended === undefined ? 0 : Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const closed = this.#call({ name: "close" });
    this.#ended = new Error("the log is closed");
    await closed;
    this.#grown.open();
    await this.#thread.terminate();
  }

  async #read(from: number): Promise<LogRecord[]> {
    const payloads = await this.#call({ name: "read", from, bytesMax: READ_MAX });
    // Only a truncation that came in between empties it; the caller looks again.
    return payloads.map((payload, i) => ({ index: from + i, payload }));
  }

  #receive(message: FromThread): void {
    if (message.kind === "appended") {
      this.#appended(message.first, message.count);
    } else if (message.kind === "append-failed") {
      this.#logger.error({ outcome: message.outcome, records: message.count }, message.message);
      for (const append of this.#appends.splice(0, message.count)) {
        append.reject(new AppendError(message.outcome, message.message));
      }
    } else if (message.kind === "answer") {
      this.#take(message.id)?.resolve(message.value);
    } else if (message.kind === "call-failed") {
      this.#take(message.id)?.reject(new Error(message.message));
    }
  }

  // Tails hear first: whoever awaited the append finds its record applied, or about to be.
  #appended(first: number, count: number): void {
    const appends = this.#appends.splice(0, count);
    for (const [i, { payload }] of appends.entries()) this.#recent.push({ index: first + i, payload });
    this.#last = first + count - 1;
    this.#grown.open();
    for (const [i, append] of appends.entries()) append.resolve(first + i);
  }

  #call<C extends ThreadCall>(call: C): Promise<ThreadAnswer[C["name"]]> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const id = this.#nextCall++;
      this.#calls.set(id, { resolve: resolve as PendingCall["resolve"], reject });
      this.#post({ kind: "call", id, call });
    });
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }

  #post(message: ToThread, transfer: ArrayBuffer[] = []): void {
    this.#thread.postMessage(message, transfer);
  }

  #threadDied(error: Error): void {
    if (this.#ended === undefined) {
      this.#ended = error;
      this.#logger.error({ err: error }, "the log's thread died");
    }
    for (const append of this.#appends.splice(0))
      append.reject(new AppendError("unknown", error.message, { cause: error }));
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
    this.#grown.open();
  }
}

/** Where a log keeps the snapshot of this number, where it is a file. */
function fileOf(path: string, snapshot: number): string {
  return `${path}.snapshot-${snapshot}`;
}

/** All but the one that is the log's snapshot. */
async function removeFiles(path: string, head: SnapshotHead | undefined): Promise<void> {
  const [folder, all] = [dirname(path), `${basename(path)}.snapshot-`];
  const kept = head?.isFile === true ? basename(fileOf(path, head.snapshot)) : undefined;
  for (const name of await readdir(folder))
    if (name.startsWith(all) && name !== kept) await rm(join(folder, name), { force: true });
}

async function* recordsAt(file: string): AsyncGenerator<Uint8Array> {
  try {
    const { records } = await readSnapshotFile(createReadStream(file, { highWaterMark: FILE_READ }));
    yield* records;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the log's snapshot at ${file} cannot be read: ${why}`, { cause: error });
  }
}

/** By how it begins: whoever wrote it has just made it durable, and it has its checksums for whoever reads it. */
async function assertOf(index: number, path: string): Promise<void> {
  const stream = createReadStream(path);
  try {
    const { about } = await readSnapshotFile(stream);
    if (about.index !== index) throw new Error(`the snapshot at ${path} is of index ${about.index}, not ${index}`);
  } finally {
    stream.destroy();
  }
}

/** Pieces of any length as they come, whole bytes in pieces. */
async function* inChunks(data: SnapshotData): AsyncGenerator<Uint8Array> {
  if (typeof data === "function") yield* data();
  else for (let at = 0; at < data.length; at += SNAPSHOT_CHUNK) yield data.subarray(at, at + SNAPSHOT_CHUNK);
}

function givenUp(reason: unknown): AppendError {
  return new AppendError("unknown", "given up while it was under way", { cause: reason });
}
