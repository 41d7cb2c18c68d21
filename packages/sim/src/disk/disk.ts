/**
 * A machine's disk, as `Files` promises it and no better: what was not synced may be gone, in pieces or other bytes after
 * the machine lost power; changes of a folder that were not synced are each there or not. It can be full, read-only, slow,
 * or lost as a whole.
 */
import { type AppendFile, FileError, type FileErrorCode, type Files } from "@steppe/model";
import type { Kernel } from "../kernel/kernel.ts";
import type { Life } from "../kernel/life.ts";
import type { SeededRandom } from "../kernel/random.ts";

interface Content {
  bytes: Uint8Array;
  /** The first so many survive a loss of power. */
  durable: number;
  /** An `append` or `sync` of it failed: nobody may append to it any more. */
  isBroken: boolean;
}

type Entries = Map<string, Content>;

interface Folder {
  readonly durable: Entries;
  readonly entries: Entries;
  /** Changes since the last sync, in their order. */
  pending: ((entries: Entries) => void)[];
}

/** How long calls take, milliseconds: from, to. */
const CALL_MS = [0.02, 0.2] as const;
const SYNC_MS = [0.3, 4] as const;

export class SimDisk {
  readonly #random: SeededRandom;
  readonly #folders: Map<string, Folder> = new Map();
  /** Writing fails with this. */
  failsWith: FileErrorCode | undefined;
  /** Each sync takes so much longer, at most. */
  slowMs = 0;
  readonly #kernel: Kernel;
  #busyUntilMs = 0;
  /** Times that power was lost: what was asked for before is never done. */
  #outages = 0;

  constructor(random: SeededRandom, kernel: Kernel) {
    this.#random = random;
    this.#kernel = kernel;
  }

  /** All that was asked of it is done by then. */
  get busyUntilMs(): number {
    return this.#busyUntilMs;
  }

  /** The machine lost power. All its processes must have ended. */
  losePower(): void {
    this.#outages += 1;
    this.#busyUntilMs = 0;
    for (const folder of this.#folders.values()) {
      folder.entries.clear();
      for (const [name, content] of folder.durable) folder.entries.set(name, content);
      for (const change of folder.pending) if (this.#random.chance(0.5)) change(folder.entries);
      folder.pending = [];
      folder.durable.clear();
      for (const [name, content] of folder.entries) folder.durable.set(name, content);
      for (const content of new Set(folder.entries.values())) this.#tear(content);
    }
  }

  /** A new, empty disk is put in. */
  wipe(): void {
    this.#folders.clear();
  }

  /** The files as one process has them. */
  files(life: Life): Files {
    const call = <T>(act: () => T, ms: readonly [number, number] = CALL_MS) => this.#call(life, act, ms);
    return {
      makeFolder: (path) => call(() => void this.#folder(path, "make folder")),
      list: (folder) => call(() => [...(this.#folders.get(folder)?.entries.keys() ?? [])].sort()),
      size: (path) => call(() => this.#find(path)?.bytes.length),
      read: (path, offset = 0, length) =>
        call(() => {
          const { bytes } = this.#get(path, "read");
          return bytes.slice(offset, length === undefined ? undefined : offset + length);
        }),
      create: (path) =>
        call(() => {
          this.#checkWritable(path, "create");
          const content: Content = { bytes: new Uint8Array(), durable: 0, isBroken: false };
          this.#change(path, (entries, name) => entries.set(name, content));
          return this.#opened(life, path, content);
        }),
      open: (path) => call(() => this.#opened(life, path, this.#get(path, "open"))),
      cut: (path, size) =>
        call(() => {
          this.#checkWritable(path, "cut");
          const content = this.#get(path, "cut");
          content.bytes = content.bytes.slice(0, size);
          content.durable = Math.min(content.bytes.length, Math.max(content.durable, size));
          content.isBroken = false;
        }, SYNC_MS),
      rename: (from, to) =>
        call(() => {
          this.#checkWritable(to, "rename");
          const content = this.#get(from, "rename");
          const [, oldName] = split(from);
          this.#change(to, (entries, name) => {
            if (entries.get(oldName) === content) entries.delete(oldName);
            entries.set(name, content);
          });
        }),
      remove: (path) =>
        call(() => {
          this.#checkWritable(path, "remove");
          if (this.#find(path) !== undefined) this.#change(path, (entries, name) => entries.delete(name));
        }),
      syncFolder: (path) =>
        call(() => {
          this.#checkWritable(path, "sync folder");
          const folder = this.#folder(path, "sync folder");
          folder.pending = [];
          folder.durable.clear();
          for (const [name, content] of folder.entries) folder.durable.set(name, content);
        }, SYNC_MS),
    };
  }

  #opened(life: Life, path: string, content: Content): AppendFile {
    const call = <T>(act: () => T, ms: readonly [number, number]) => this.#call(life, act, ms);
    return {
      get size() {
        return content.bytes.length;
      },
      append: (bytes) => {
        const copy = bytes.slice();
        return call(() => {
          if (this.failsWith !== undefined) {
            // A full disk takes what still fits.
            content.bytes = Buffer.concat([content.bytes, copy.subarray(0, this.#random.below(copy.length + 1))]);
            content.isBroken = true;
          }
          this.#checkWritable(path, "write");
          if (content.isBroken) throw fileError("failed", path, "write");
          content.bytes = Buffer.concat([content.bytes, copy]);
        }, CALL_MS);
      },
      sync: () => {
        const size = content.bytes.length;
        return call(() => {
          if (this.failsWith !== undefined) content.isBroken = true;
          this.#checkWritable(path, "sync");
          if (content.isBroken) throw fileError("failed", path, "sync");
          content.durable = Math.max(content.durable, Math.min(size, content.bytes.length));
        }, SYNC_MS);
      },
      close: () => call(() => undefined, CALL_MS),
    };
  }

  /** Done by the machine, also when the process dies meanwhile; only a live one hears of it. */
  #call<T>(life: Life, act: () => T, [least, most]: readonly [number, number]): Promise<T> {
    const ms = this.#random.between(least, most) + (most > 1 ? this.#random.between(0, this.slowMs) : 0);
    const outages = this.#outages;
    return new Promise((resolve, reject) => {
      life.effect(() => {
        this.#busyUntilMs = Math.max(this.#busyUntilMs, this.#kernel.nowMs + ms);
        this.#kernel.after(ms, `${life.name} disk`, () => {
          if (this.#outages !== outages) return;
          let settle: () => void;
          try {
            const value = act();
            settle = () => resolve(value);
          } catch (error) {
            settle = () => reject(error);
          }
          life.post(this.#kernel.nowMs, "disk answers", settle);
        });
      });
    });
  }

  #tear(content: Content): void {
    const { bytes, durable } = content;
    const kept = durable + this.#random.below(bytes.length - durable + 1);
    content.bytes = bytes.slice(0, kept);
    // Blocks that were on their way may hold anything.
    if (this.#random.chance(0.5)) content.bytes.set(this.#random.bytes(kept - durable), durable);
    content.durable = kept;
    content.isBroken = false;
  }

  #change(path: string, change: (entries: Entries, name: string) => void): void {
    const [folderPath, name] = split(path);
    const folder = this.#folder(folderPath, "change");
    change(folder.entries, name);
    folder.pending.push((entries) => change(entries, name));
  }

  #checkWritable(path: string, what: string): void {
    if (this.failsWith !== undefined) throw fileError(this.failsWith, path, what);
  }

  #find(path: string): Content | undefined {
    const [folder, name] = split(path);
    return this.#folders.get(folder)?.entries.get(name);
  }

  #get(path: string, what: string): Content {
    const content = this.#find(path);
    if (content === undefined) throw fileError("absent", path, what);
    return content;
  }

  /** Made where it is absent: folders are made durably. */
  #folder(path: string, what: string): Folder {
    let folder = this.#folders.get(path);
    if (folder === undefined) {
      this.#checkWritable(path, what);
      folder = { durable: new Map(), entries: new Map(), pending: [] };
      this.#folders.set(path, folder);
    }
    return folder;
  }
}

function split(path: string): [folder: string, name: string] {
  const at = path.lastIndexOf("/");
  return [path.slice(0, at), path.slice(at + 1)];
}

function fileError(code: FileErrorCode, path: string, what: string): FileError {
  return new FileError(code, path, `cannot ${what} ${path}: the simulated disk says "${code}"`);
}
