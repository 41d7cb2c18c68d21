/**
 * A server's own copy of the log behind its last snapshot: what it applied, on its own disk.
 *
 * 1. A record is in the journal, durably, before anybody is told of it. So nothing was ever acknowledged, or
 *    served, that the journal (with the snapshot before it) does not hold.
 * 2. Records are dense. A segment begins with the identity of the log; one journal holds one log.
 * 3. One write at a time; what comes meanwhile goes into the next, with one sync for all of it.
 * 4. A tail that a crash tore is found by its checksum and cut when the journal is opened; what is left
 *    is synced, since it may have been written and not synced, and will be served.
 * 5. After a failed write nothing is added until `repair` has cut the file to what was durable.
 */
import type { AppendFile, Files, Logger } from "@steppe/model";
import { type LogIdentity, markOf, type RecordMark, sameLog } from "../identity.ts";
import type { LogRecord } from "../log.ts";
import { Places } from "./places.ts";
import { segmentNames } from "./read-journal.ts";
import { encodeHeader, encodeRecord, readRecords, readSegment, SEGMENT_SUFFIX, sizeOf } from "./segment.ts";

export interface JournalOptions {
  readonly files: Files;
  /** Absolute; made when it is absent. */
  readonly folder: string;
  readonly logger: Logger;
  /** A segment that reached this size is followed by another. Default 16 MiB. */
  readonly segmentBytes?: number;
}

interface Segment {
  readonly path: string;
  readonly first: number;
  /** Index of its last record; `first - 1` when it has none. */
  last: number;
  readonly places: Places;
}

const SEGMENT_BYTES = 16 * 1024 * 1024;
/** Read at a time: to check and take apart more would hold up the event loop. */
const READ_BYTES = 256 * 1024;

export async function openJournal(options: JournalOptions): Promise<Journal> {
  await options.files.makeFolder(options.folder);
  const journal = new Journal(options);
  await journal.load();
  return journal;
}

/** What a journal holds, whole; reads only, also while a server writes it. */
export async function readJournalFolder(
  files: Files,
  folder: string,
): Promise<{ readonly identity: LogIdentity | undefined; readonly first: number; readonly last: number }> {
  const held = { identity: undefined as LogIdentity | undefined, first: 0, last: 0 };
  for (const name of await segmentNames(files, folder)) {
    const segment = readSegment(await files.read(`${folder}/${name}`));
    if (segment === undefined) break;
    held.first ||= segment.header.first;
    held.identity = segment.header.identity;
    held.last = segment.header.first + segment.records.length - 1;
  }
  return held;
}

export class Journal {
  readonly #options: JournalOptions;
  readonly #segments: Segment[] = [];
  #identity: LogIdentity | undefined;
  #mark: RecordMark | undefined;
  #file: AppendFile | undefined;
  /** Size of the newest segment up to its last durable record. */
  #durable = 0;
  #broken = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  get folder(): string {
    return this.#options.folder;
  }

  /** The log it is of; undefined while it holds nothing. */
  get identity(): LogIdentity | undefined {
    return this.#identity;
  }

  /** Index of the first record, or of the one that will be; 0 without an identity. */
  get first(): number {
    return this.#segments[0]?.first ?? 0;
  }

  /** Index of the last record; one less than `first` when there is none. */
  get last(): number {
    return this.#segments.at(-1)?.last ?? 0;
  }

  /** The last record, when there is one. */
  get lastMark(): RecordMark | undefined {
    return this.#mark;
  }

  /** Reads what is there and cuts what a crash tore. For `openJournal`. */
  async load(): Promise<void> {
    const { files, folder, logger } = this.#options;
    const names = await segmentNames(files, folder);
    for (const [n, name] of names.entries()) {
      const path = `${folder}/${name}`;
      const bytes = await files.read(path);
      const segment = readSegment(bytes);
      const expected = this.#segments.length === 0 ? segment?.header.first : this.last + 1;
      const follows =
        segment !== undefined && segment.header.first === expected && this.#isOfThis(segment.header.identity);
      if (!follows) {
        await this.#setAside(names.slice(n), "does not follow the one before it");
        break;
      }
      this.#identity = segment.header.identity;
      const lastRecord = segment.records.at(-1);
      if (lastRecord !== undefined) this.#mark = markOf(lastRecord);
      const places = new Places();
      places.add(segment.records.map(placed), segment.headerSize);
      const { first } = segment.header;
      this.#segments.push({ path, first, last: first + segment.records.length - 1, places });
      this.#durable = segment.size;
      if (segment.size < bytes.length) {
        logger.warn({ path, bytes: bytes.length - segment.size, last: this.last }, "cut the torn end of the journal");
        if (n + 1 < names.length) await this.#setAside(names.slice(n + 1), "follows a damaged one");
        break;
      }
    }
    await this.#makeNewestDurable();
  }

  /**
   * A process that died before it synced, or whose disk failed to, left records that are read here and that a loss of
   * power would still take. A file that was not written to its end takes nothing before it is cut.
   */
  async #makeNewestDurable(): Promise<void> {
    const { files, folder } = this.#options;
    const newest = this.#segments.at(-1);
    if (newest === undefined) return;
    await files.cut(newest.path, this.#durable);
    await files.syncFolder(folder);
  }

  #isOfThis(identity: LogIdentity): boolean {
    return this.#identity === undefined || sameLog(this.#identity, identity);
  }

  async #setAside(names: readonly string[], why: string): Promise<void> {
    const { files, folder, logger } = this.#options;
    for (const name of names) {
      const path = `${folder}/${name}`;
      // A new segment whose header never became durable is nothing to keep.
      if (readSegment(await files.read(path)) === undefined) await files.remove(path);
      else {
        logger.error({ path }, `a segment of the journal ${why}; it is set aside`);
        await files.rename(path, `${path}.unused`);
      }
    }
    await files.syncFolder(folder);
  }

  /** Forgets everything and begins behind index `base` of the log. With `keepOld` the old files stay, under other names. */
  async restart(identity: LogIdentity, base: number, keepOld = false): Promise<void> {
    const { files, folder } = this.#options;
    await this.close();
    // Newest first: what a crash leaves is the beginning of a journal, never one with a hole.
    for (const { path } of this.#segments.splice(0).reverse()) {
      if (keepOld) await files.rename(path, `${path}.${this.#identity?.epoch ?? 0}.orphaned`);
      else await files.remove(path);
      await files.syncFolder(folder);
    }
    this.#identity = identity;
    this.#mark = undefined;
    this.#broken = false;
    await this.#begin(base + 1);
  }

  /** Forgets everything; the files stay, under other names. */
  async discard(): Promise<void> {
    const { files, folder } = this.#options;
    await this.close();
    for (const { path } of this.#segments.splice(0).reverse()) {
      await files.rename(path, `${path}.unused`);
      await files.syncFolder(folder);
    }
    this.#identity = undefined;
    this.#mark = undefined;
  }

  /** Resolves when what is being added is durable, or failed. */
  async idle(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  /** Adds records that follow the last one. Resolves when they are durable; rejects with `FileError`. */
  append(records: readonly LogRecord[]): Promise<void> {
    this.#writing = this.#add(records);
    return this.#writing;
  }

  async #add(records: readonly LogRecord[]): Promise<void> {
    const [first] = records;
    const lastRecord = records.at(-1);
    if (first === undefined || lastRecord === undefined) return;
    if (first.index !== this.last + 1) throw new Error(`journal: record ${first.index} does not follow ${this.last}`);
    if (this.#broken) throw new Error("the journal has to be repaired first");
    try {
      if (this.#durable >= (this.#options.segmentBytes ?? SEGMENT_BYTES)) await this.#begin(first.index);
      const segment = this.#segments.at(-1) as Segment;
      this.#file ??= await this.#options.files.open(segment.path);
      await this.#file.append(Buffer.concat(records.map(encodeRecord)));
      await this.#file.sync();
      this.#durable = segment.places.add(records.map(placed), this.#durable);
      segment.last = lastRecord.index;
      this.#mark = markOf(lastRecord);
    } catch (error) {
      this.#broken = true;
      throw error;
    }
  }

  /** After a failed `append`: drops what may be torn. What was durable stays. */
  async repair(): Promise<void> {
    if (!this.#broken) return;
    await this.#file?.close().catch(() => undefined);
    this.#file = undefined;
    const segment = this.#segments.at(-1);
    if (segment !== undefined) await this.#options.files.cut(segment.path, this.#durable);
    this.#broken = false;
  }

  /** Records from index `from` on, some, of one segment; none behind the last. */
  async read(from: number): Promise<LogRecord[]> {
    const segment = this.#segments.find(({ first, last }) => first <= from && from <= last);
    const place = segment?.places.before(from);
    if (segment === undefined || place === undefined) return [];
    for (let length = READ_BYTES; ; length *= 4) {
      const bytes = await this.#options.files.read(segment.path, place.offset, length);
      const records = readRecords(bytes, place.index).filter(({ index }) => index >= from && index <= segment.last);
      if (records.length > 0) return records;
      // A record may be larger than what was read.
      if (bytes.length < length) {
        throw new Error(`the journal at ${segment.path} is damaged: record ${from} is missing`);
      }
    }
  }

  /** The record at an index; undefined when it is not held. */
  async markAt(index: number): Promise<RecordMark | undefined> {
    const [record] = await this.read(index);
    return record && markOf(record);
  }

  /** Drops segments whose records are all at or before `index`. Call it behind a durable snapshot only. */
  async dropThrough(index: number): Promise<void> {
    const { files, folder } = this.#options;
    let dropped = false;
    while (this.#segments.length > 1 && (this.#segments[0] as Segment).last <= index) {
      await files.remove((this.#segments.shift() as Segment).path);
      dropped = true;
    }
    if (dropped) await files.syncFolder(folder);
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #begin(first: number): Promise<void> {
    const { files, folder } = this.#options;
    await this.#file?.close();
    this.#file = undefined;
    const path = `${folder}/${String(first).padStart(16, "0")}${SEGMENT_SUFFIX}`;
    const file = await files.create(path);
    try {
      await file.append(encodeHeader({ identity: this.#identity as LogIdentity, first }));
      await file.sync();
      await files.syncFolder(folder);
    } finally {
      // Opened anew to append to: that way a record is written and synced by one call.
      await file.close().catch(() => undefined);
    }
    this.#durable = file.size;
    this.#segments.push({ path, first, last: first - 1, places: new Places() });
  }
}

function placed(record: LogRecord): { readonly index: number; readonly bytes: number } {
  return { index: record.index, bytes: sizeOf(record) };
}
