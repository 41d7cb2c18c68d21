import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { type AppendFile, FileError, type FileErrorCode, type Files } from "@steppe/model";

/** What to say for an error of the operating system, and what to do about it. */
const CODES: Readonly<Record<string, readonly [code: FileErrorCode, text: string]>> = {
  ENOENT: ["absent", "there is no such file"],
  ENOSPC: ["full", "the disk is full: free some space"],
  EDQUOT: ["full", "the disk quota is used up: free some space or raise it"],
  EFBIG: ["full", "the file would be larger than this process may write"],
  EROFS: ["read-only", "the file system is read-only: mount it for writing"],
  EACCES: ["denied", "permission denied: give this process's user access"],
  EPERM: ["denied", "permission denied: give this process's user access"],
};

/**
 * On Linux a file opened so is durable with each write: one call that waits for the disk, in place of two. Elsewhere the
 * flag is absent or says less than a sync does.
 */
const SYNCED_BY_WRITES = process.platform === "linux" ? constants.O_DSYNC : 0;

/** The files of the machine. Every call runs in libuv's threads, so a slow disk does not hold up the event loop. */
export function createFiles(): Files {
  return {
    makeFolder: (path) =>
      attempt("make folder", path, async () => {
        const first = await mkdir(path, { recursive: true });
        if (first === undefined) return;
        // Each new folder is an entry of the one above it.
        for (let folder = path; folder.length >= first.length; folder = dirname(folder))
          await syncFolder(dirname(folder));
      }),
    list: (folder) =>
      attempt("list", folder, () => readdir(folder)).then(
        (names) => names.sort(),
        (error: unknown) => (isAbsent(error) ? [] : Promise.reject(error)),
      ),
    size: (path) =>
      attempt("look at", path, () => stat(path)).then(
        ({ size }) => size,
        (error: unknown) => (isAbsent(error) ? undefined : Promise.reject(error)),
      ),
    read: (path, offset = 0, length) => attempt("read", path, () => read(path, offset, length)),
    create: (path) => attempt("create", path, async () => new NodeFile(path, await open(path, "w", 0o600), 0, false)),
    open: (path) =>
      attempt("open", path, async () => {
        const handle = await open(path, constants.O_RDWR | SYNCED_BY_WRITES);
        return new NodeFile(path, handle, (await handle.stat()).size, SYNCED_BY_WRITES !== 0);
      }),
    cut: (path, size) =>
      attempt("cut", path, async () => {
        await truncate(path, size);
        await withHandle(path, "r+", (handle) => handle.sync());
      }),
    rename: (from, to) => attempt("rename", to, () => rename(from, to)),
    remove: (path) => attempt("remove", path, () => rm(path, { force: true })),
    syncFolder: (folder) => attempt("sync folder", folder, () => syncFolder(folder)),
  };
}

class NodeFile implements AppendFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  /** Each write is durable when it is done. */
  readonly #syncsItself: boolean;
  #size: number;

  constructor(path: string, handle: FileHandle, size: number, syncsItself: boolean) {
    this.#path = path;
    this.#handle = handle;
    this.#size = size;
    this.#syncsItself = syncsItself;
  }

  get size(): number {
    return this.#size;
  }

  append(bytes: Uint8Array): Promise<void> {
    return attempt("write", this.#path, async () => {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#size);
        this.#size += bytesWritten;
        done += bytesWritten;
      }
    });
  }

  // Of what describes a file only its size matters here, and fdatasync writes that.
  sync(): Promise<void> {
    if (this.#syncsItself) return Promise.resolve();
    return attempt("sync", this.#path, () => this.#handle.datasync());
  }

  close(): Promise<void> {
    return attempt("close", this.#path, () => this.#handle.close());
  }
}

function read(path: string, offset: number, length: number | undefined): Promise<Uint8Array> {
  return withHandle(path, "r", async (handle) => {
    const size = length ?? Math.max(0, (await handle.stat()).size - offset);
    const bytes = new Uint8Array(size);
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await handle.read(bytes, filled, size - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  });
}

function syncFolder(folder: string): Promise<void> {
  return withHandle(folder, "r", (handle) => handle.sync());
}

async function withHandle<T>(path: string, flags: string, act: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, flags);
  try {
    return await act(handle);
  } finally {
    await handle.close();
  }
}

async function attempt<T>(what: string, path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    const [kind, text] = CODES[code] ?? ["failed", message];
    throw new FileError(kind, path, `cannot ${what} ${path}: ${text}`, { cause });
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof FileError && error.code === "absent";
}
