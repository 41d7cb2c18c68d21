import { DatabaseSync, type StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { Copied, LogBounds, SnapshotHead } from "./embedded-protocol.ts";
import { sizeOf, writeRecord } from "./journal/segment.ts";
import type { LogRecord } from "./log.ts";

/** Files of this kind are ours: "STPL". */
const APPLICATION_ID = 0x5354504c;
/** 1: a snapshot was always in rows; what it wrote is read. */
const FORMAT = 2;

// Primary result codes of https://www.sqlite.org/rescode.html.
const BUSY = 5;
const CORRUPT = 11;
const FULL = 13;
const NOT_A_DATABASE = 26;

const SCHEMA = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE records (idx INTEGER PRIMARY KEY, crc INTEGER NOT NULL, payload BLOB NOT NULL) STRICT;
  CREATE TABLE chunks (snapshot INTEGER NOT NULL, n INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
  CREATE UNIQUE INDEX chunk ON chunks (snapshot, n);
`;

/** `refused`: the transaction left no trace. `unknown`: the disk failed in the middle of it. */
export class StoreError extends Error {
  readonly outcome: "unknown" | "refused";

  constructor(outcome: "unknown" | "refused", message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.outcome = outcome;
  }
}

/**
 * The log's SQLite file. Synchronous, so it lives in a thread of its own. Every method is one
 * transaction and durable when it returns (WAL, synchronous=FULL).
 */
export class EmbeddedStore {
  readonly #path: string;
  readonly #db: DatabaseSync;
  #bounds: LogBounds;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #insertChunk: StatementSync;

  constructor(path: string, base: number) {
    this.#path = path;
    this.#db = openDatabase(path, base);
    try {
      this.#insert = this.#db.prepare("INSERT INTO records (idx, crc, payload) VALUES (?, ?, ?)");
      this.#select = this.#db.prepare("SELECT idx, crc, payload FROM records WHERE idx >= ? ORDER BY idx");
      this.#insertChunk = this.#db.prepare(
        "INSERT OR REPLACE INTO chunks (snapshot, n, crc, data) VALUES (?, ?, ?, ?)",
      );
      this.#bounds = this.#readBounds();
      this.#dropOtherSnapshots();
    } catch (error) {
      this.#db.close();
      throw explain(error, path);
    }
  }

  get bounds(): LogBounds {
    return this.#bounds;
  }

  /** Adds the payloads in one transaction; returns the index of the first. Throws `StoreError`. */
  append(payloads: readonly Uint8Array[]): number {
    const first = this.#bounds.last + 1;
    this.#transact(() => {
      let index = first;
      for (const payload of payloads) this.#insert.run(index++, crc32(payload), payload);
    });
    this.#bounds = { first: this.#bounds.first, last: first + payloads.length - 1 };
    return first;
  }

  /** Payloads from index `from` on, at least one and about `bytesMax`. Throws when one is missing or damaged. */
  read(from: number, bytesMax: number): Uint8Array[] {
    const payloads: Uint8Array[] = [];
    let bytes = 0;
    for (const { payload } of this.#records(from)) {
      payloads.push(payload);
      bytes += payload.length;
      if (bytes >= bytesMax) break;
    }
    return payloads;
  }

  /** Writes records from..to, whole ones, one after the other as a journal has them, as many as there is room for. */
  copy(from: number, to: number, into: Uint8Array): Copied {
    const bytes = Buffer.from(into.buffer, into.byteOffset, into.byteLength);
    let [records, filled] = [0, 0];
    for (const record of this.#records(from)) {
      if (record.index > to || filled + sizeOf(record) > bytes.length) break;
      writeRecord(record, bytes.subarray(filled));
      filled += sizeOf(record);
      records += 1;
    }
    return { records, bytes: filled };
  }

  *#records(from: number): Generator<LogRecord> {
    let expected = from;
    for (const row of this.#select.iterate(from)) {
      const { idx, crc, payload } = row as { idx: number; crc: number; payload: Uint8Array };
      if (idx !== expected) throw new Error(`the log at ${this.#path} is damaged: record ${expected} is missing`);
      if (crc32(payload) !== crc)
        throw new Error(`the log at ${this.#path} is damaged: record ${idx} fails its checksum`);
      yield { index: idx, payload };
      expected += 1;
    }
  }

  /** Drops up to `rowsMax` of the records up to and including `index`; true when more are left to drop. */
  truncate(index: number, rowsMax: number): boolean {
    const upTo = Math.min(index, this.#bounds.first + rowsMax - 1);
    if (upTo < this.#bounds.first) return false;
    this.#transact(() => {
      this.#db.prepare("DELETE FROM records WHERE idx <= ?").run(upTo);
      this.#setMeta("dropped", upTo);
    });
    this.#bounds = { first: upTo + 1, last: this.#bounds.last };
    return upTo < index;
  }

  saveChunk(snapshot: number, n: number, data: Uint8Array): void {
    this.#transact(() => this.#insertChunk.run(snapshot, n, crc32(data), data));
  }

  /** Makes the chunks saved as `head.snapshot`, or the file of that number, the snapshot, in place of the last one. */
  commitSnapshot(head: SnapshotHead): void {
    this.#transact(() => this.#setMeta("snapshot", JSON.stringify(head)));
    this.#dropOtherSnapshots();
  }

  /** The same, and no record is kept: the log goes on behind the snapshot. */
  restart(head: SnapshotHead): void {
    this.#transact(() => {
      this.#db.prepare("DELETE FROM records").run();
      this.#setMeta("dropped", head.index);
      this.#setMeta("snapshot", JSON.stringify(head));
    });
    this.#bounds = { first: head.index + 1, last: head.index };
    this.#dropOtherSnapshots();
  }

  snapshotHead(): SnapshotHead | undefined {
    const text = this.#getMeta("snapshot");
    return text === undefined ? undefined : (JSON.parse(String(text)) as SnapshotHead);
  }

  readChunk(snapshot: number, n: number): Uint8Array {
    const row = this.#db.prepare("SELECT crc, data FROM chunks WHERE snapshot = ? AND n = ?").get(snapshot, n) as
      | { crc: number; data: Uint8Array }
      | undefined;
    if (row === undefined)
      throw new Error(`the log at ${this.#path} is damaged: chunk ${n} of the snapshot is missing`);
    if (crc32(row.data) !== row.crc) {
      throw new Error(`the log at ${this.#path} is damaged: chunk ${n} of the snapshot fails its checksum`);
    }
    return row.data;
  }

  close(): void {
    this.#db.close();
  }

  #transact(body: () => void): void {
    try {
      this.#db.exec("BEGIN IMMEDIATE");
      body();
      this.#db.exec("COMMIT");
    } catch (error) {
      throw this.#rolledBack(error);
    }
  }

  // A full disk is noticed before the commit record is written, and rolled back whole. After any
  // other failure nobody can tell what the disk holds.
  #rolledBack(error: unknown): StoreError {
    let clean = primaryCode(error) === FULL;
    try {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
    } catch {
      clean = false;
    }
    const why = error instanceof Error ? error.message : String(error);
    return new StoreError(clean ? "refused" : "unknown", `cannot write the log at ${this.#path}: ${why}`, {
      cause: error,
    });
  }

  #readBounds(): LogBounds {
    const { first, last } = this.#db.prepare("SELECT MIN(idx) AS first, MAX(idx) AS last FROM records").get() as {
      first: number | null;
      last: number | null;
    };
    const dropped = Number(this.#getMeta("dropped"));
    if (first === null || last === null) return { first: dropped + 1, last: dropped };
    if (first !== dropped + 1) throw new Error(`the log at ${this.#path} is damaged: record ${dropped + 1} is missing`);
    return { first, last };
  }

  #dropOtherSnapshots(): void {
    const keep = this.snapshotHead()?.snapshot ?? 0;
    this.#transact(() => this.#db.prepare("DELETE FROM chunks WHERE snapshot <> ?").run(keep));
  }

  #getMeta(key: string): unknown {
    return this.#db.prepare("SELECT value FROM meta WHERE key = ?").get(key)?.value;
  }

  #setMeta(key: string, value: string | number): void {
    this.#db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)").run(key, value);
  }
}

function openDatabase(path: string, base: number): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: 0 });
    // Exclusive before WAL: then no other process can open the file, and no shared memory is used.
    db.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    // 1 MiB between checkpoints: each holds up the appends behind it for as long as its pages take to the disk.
    db.exec("PRAGMA wal_autocheckpoint=256; PRAGMA cache_size=-16384");
    // Takes the lock now rather than at the first write.
    db.exec("BEGIN IMMEDIATE");
    prepareSchema(db, path, base);
    db.exec("COMMIT");
    return db;
  } catch (error) {
    db?.close();
    throw explain(error, path);
  }
}

function prepareSchema(db: DatabaseSync, path: string, base: number): void {
  const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  const tables = db.prepare("SELECT COUNT(*) AS n FROM sqlite_schema").get()?.n;
  if (tables === 0) {
    db.exec(SCHEMA);
    db.exec(`PRAGMA application_id=${APPLICATION_ID}; PRAGMA user_version=${FORMAT}`);
    db.prepare("INSERT INTO meta (key, value) VALUES ('base', ?), ('dropped', ?)").run(base, base);
    return;
  }
  if (pragma("application_id") !== APPLICATION_ID) throw new Error(`${path} is not a log of Steppe`);
  const format = Number(pragma("user_version"));
  if (format > FORMAT) throw new Error(`the log at ${path} has format ${format}; this version reads ${FORMAT}`);
  if (format < FORMAT) db.exec(`PRAGMA user_version=${FORMAT}`);
}

function explain(error: unknown, path: string): Error {
  const code = primaryCode(error);
  if (code === BUSY) return new Error(`the log at ${path} is in use by another process`, { cause: error });
  if (code === NOT_A_DATABASE || code === CORRUPT) {
    return new Error(`the log at ${path} is damaged: ${(error as Error).message}`, { cause: error });
  }
  if (code !== undefined)
    return new Error(`cannot open the log at ${path}: ${(error as Error).message}`, { cause: error });
  return error instanceof Error ? error : new Error(String(error));
}

/** The primary SQLite result code of an error of node:sqlite; undefined for any other error. */
function primaryCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}
