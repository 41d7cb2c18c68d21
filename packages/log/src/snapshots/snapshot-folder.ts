import type { Files, Logger } from "@steppe/model";
import type { LogIdentity } from "../identity.ts";
import { encodeSnapshotFile, readInPieces, readSnapshotFile, type SnapshotAbout } from "./snapshot-file.ts";

const SUFFIX = ".snapshot";
/**
 * Written between two syncs. A file system may write all that waits when any file is synced, and the journal is synced
 * before each write is acknowledged: what waits here is kept small, so that nobody waits long for it.
 */
const SYNC_BYTES = 1024 * 1024;

/** The newest snapshots of a server, on its own disk, in a folder that is there. One that is being written takes its place only when it is whole and durable. */
export class SnapshotFolder {
  readonly #files: Files;
  readonly #folder: string;
  readonly #logger: Logger;
  /** Paths of those that are read, each as often as it is. */
  readonly #pins: Set<symbol> = new Set();

  constructor(files: Files, folder: string, logger: Logger) {
    this.#files = files;
    this.#folder = folder;
    this.#logger = logger;
  }

  /** Where a snapshot of this index is. */
  pathOf(index: number): string {
    return `${this.#folder}/${String(index).padStart(16, "0")}${SUFFIX}`;
  }

  async save(about: SnapshotAbout, records: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.pathOf(about.index);
    const file = await this.#files.create(`${path}.new`);
    try {
      let synced = 0;
      for await (const piece of encodeSnapshotFile(about, records)) {
        await file.append(piece);
        if (file.size - synced < SYNC_BYTES) continue;
        await file.sync();
        synced = file.size;
      }
      await file.sync();
    } catch (error) {
      // What went wrong first says more than what fails after it; the next attempt writes over what is left.
      await file.close().catch(() => undefined);
      await this.#files.remove(`${path}.new`).catch(() => undefined);
      throw error;
    }
    await file.close();
    await this.#files.rename(`${path}.new`, path);
    await this.#files.syncFolder(this.#folder);
  }

  /** Keeps a snapshot while somebody reads it; returns the way to end that. It goes with the next `keepOnly`. */
  pin(index: number): () => void {
    const pin = Symbol(this.pathOf(index));
    this.#pins.add(pin);
    return () => this.#pins.delete(pin);
  }

  /** Indexes of those that are there, the oldest first. Any of them may be damaged. */
  async indexes(): Promise<number[]> {
    return (await this.#names()).map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b);
  }

  /** What a snapshot is about. Rejects when there is none, or it is damaged at its beginning. */
  async about(index: number): Promise<SnapshotAbout> {
    return (await readSnapshotFile(readInPieces(this.#files, this.pathOf(index)))).about;
  }

  /** Removes all but the snapshots of these indexes, and those that are read. */
  async keepOnly(...indexes: readonly number[]): Promise<void> {
    const keep = new Set([
      ...indexes.map((index) => this.pathOf(index)),
      ...[...this.#pins].map(({ description }) => description),
    ]);
    for (const name of await this.#files.list(this.#folder)) {
      const path = `${this.#folder}/${name}`;
      if (!keep.has(path)) await this.#files.remove(path);
    }
    await this.#files.syncFolder(this.#folder);
  }

  /** What the newest snapshot is about; one that is damaged counts as absent. */
  async newest(): Promise<SnapshotAbout | undefined> {
    for (const name of (await this.#names()).reverse()) {
      const path = `${this.#folder}/${name}`;
      try {
        const { about, records } = await readSnapshotFile(readInPieces(this.#files, path));
        for await (const _ of records);
        return about;
      } catch (err) {
        this.#logger.error({ err, path }, "a snapshot on disk cannot be read; it is passed over");
      }
    }
    return undefined;
  }

  /** The records of a snapshot, in pieces that need not end where records do. */
  async *records(index: number): AsyncGenerator<Uint8Array> {
    const { records } = await readSnapshotFile(readInPieces(this.#files, this.pathOf(index)));
    yield* records;
  }

  async #names(): Promise<string[]> {
    const names = await this.#files.list(this.#folder);
    return names.filter((name) => name.endsWith(SUFFIX));
  }
}

export function isOf(about: SnapshotAbout, { epoch, id }: LogIdentity): boolean {
  return about.log.epoch === epoch && about.log.id === id;
}
