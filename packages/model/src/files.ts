/**
 * Durable files as the parts that keep some see them: the real disk in processes, a simulated one
 * in the simulator. Small on purpose: what is appended, made durable, put in place by a rename, and
 * read again. Paths are absolute; folders are separated by `/`.
 *
 * What a crash (of the machine, or of the process) leaves:
 * - Of a file: every byte that was appended before the last `sync` that resolved. Of what was
 *   appended after it any part: nothing, all, a piece, or other bytes in its place. A machine that
 *   goes on keeps all bytes of a process that dies.
 * - Of a folder: the entries (new files, renames, removals) as of the last `syncFolder` that
 *   resolved, and each later change on its own or not. A rename puts the file under its new name or
 *   leaves it under its old one; it never leaves none, nor a mix of the two contents.
 * - After `append` or `sync` rejected, nobody knows which bytes behind the last `sync` are there: the
 *   file must not be appended to any more. It may be cut, to what was durable, and opened again.
 *
 * Everything rejects with `FileError`.
 */
export interface Files {
  /** Makes a folder, with those above it, durably. One that is there is no error. */
  makeFolder(path: string): Promise<void>;
  /** Names in a folder, sorted; none when the folder is absent. */
  list(folder: string): Promise<string[]>;
  /** A file's size in bytes, or undefined when it is absent. */
  size(path: string): Promise<number | undefined>;
  /** `length` bytes from `offset` on, fewer at the end of the file. The whole file by default. Rejects with "absent". */
  read(path: string, offset?: number, length?: number): Promise<Uint8Array>;
  /** Makes an empty file in place of any that is there, to append to. */
  create(path: string): Promise<AppendFile>;
  /** Opens a file to append to, at its end, each time with a sync at once. Rejects with "absent". */
  open(path: string): Promise<AppendFile>;
  /** Drops what is behind `size`, durably. Nobody may have the file open. */
  cut(path: string, size: number): Promise<void>;
  /** Puts a file in place of another, or under a new name, in one step. `syncFolder` makes it durable. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; one that is absent is no error. */
  remove(path: string): Promise<void>;
  /** Makes the entries of a folder durable. */
  syncFolder(folder: string): Promise<void>;
}

/** A file that grows. One call at a time. */
export interface AppendFile {
  /** Bytes in it, those that are not durable yet included. */
  readonly size: number;
  append(bytes: Uint8Array): Promise<void>;
  /** Resolves when all that was appended before the call is durable. Does not hold up the event loop. */
  sync(): Promise<void>;
  /** Without syncing. */
  close(): Promise<void>;
}

/**
 * - `absent`: there is no such file.
 * - `full`: the disk, or the quota, has no room left.
 * - `read-only`, `denied`: the file system, or its permissions, allow no writing (or reading).
 * - `failed`: anything else, also a disk that reports errors.
 */
export type FileErrorCode = "absent" | "full" | "read-only" | "denied" | "failed";

export class FileError extends Error {
  readonly code: FileErrorCode;
  readonly path: string;

  constructor(code: FileErrorCode, path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "FileError";
    this.code = code;
    this.path = path;
  }
}
