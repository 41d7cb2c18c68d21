// Files that are either as they were or as they should be, never in between.
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

export interface WriteOptions {
  /** Also survives a loss of power; without, only the end of this process. */
  readonly sync?: boolean;
  readonly mode?: number;
}

export function writeAtomic(path: string, content: string, options: WriteOptions = {}): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.new`;
  const file = openSync(temporary, "w", options.mode ?? 0o600);
  try {
    writeSync(file, content);
    if (options.sync === true) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
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
