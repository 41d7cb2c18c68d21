// Files that are either as they were or as they should be, never in between.
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export interface WriteOptions {
  /** Also survives a loss of power; without, only the end of this process. */
  readonly sync?: boolean;
  readonly mode?: number;
}

/** Throws when it cannot be written, as on a full disk; then the file is as it was. */
export function writeAtomic(path: string, content: string, options: WriteOptions = {}): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.new`;
  try {
    write(temporary, content, options);
    renameSync(temporary, path);
    if (options.sync === true) syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function write(path: string, content: string, { sync, mode = 0o600 }: WriteOptions): void {
  const file = openSync(path, "w", mode);
  try {
    // Not writeSync: on a disk that fills up it writes a part and says nothing.
    writeFileSync(file, content);
    if (sync === true) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Undefined when there is no such file. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
