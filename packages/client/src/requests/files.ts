// Files of an allocation: listed, described, read and followed.

import type { Stats } from "node:fs";
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Clock, formatTime, SteppeError } from "@steppe/model";
import { resolveInside } from "./alloc-paths.ts";
import { type Frame, FrameWriter } from "./frames.ts";

/** Bytes read in one go. */
const CHUNK_BYTES = 64 * 1024;
/** How often a file that is followed is looked at. */
const POLL_MS = 200;

export async function listFiles(root: string, path: string): Promise<object[]> {
  const folder = resolveInside(root, path);
  const names = await named(path, "open", () => readdir(folder));
  const files: object[] = [];
  for (const name of names.sort()) {
    // A file may go while the folder is read.
    const info = await stat(join(folder, name)).catch(() => undefined);
    if (info !== undefined) files.push(fileInfo(name, info));
  }
  return files;
}

export async function describeFile(root: string, path: string): Promise<object> {
  const file = resolveInside(root, path);
  const info = await named(path, "stat", () => stat(file));
  if (info.isDirectory()) return fileInfo(basename(file), info);
  return { ...fileInfo(basename(file), info), ContentType: await contentType(file) };
}

function fileInfo(name: string, info: Stats): object {
  return {
    Name: name,
    IsDir: info.isDirectory(),
    Size: info.size,
    FileMode: modeText(info),
    ModTime: formatTime(Math.round(info.mtimeMs * 1e6)),
  };
}

/** As Go prints it: `drwxr-xr-x`. */
function modeText(info: Stats): string {
  const kind = info.isDirectory() ? "d" : info.isSymbolicLink() ? "L" : info.isFIFO() ? "p" : "-";
  const bits = Array.from("rwxrwxrwx", (letter, i) => ((info.mode >> (8 - i)) & 1 ? letter : "-"));
  return kind + bits.join("");
}

async function contentType(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(512), 0, 512, 0);
    return buffer.subarray(0, bytesRead).includes(0) ? "application/octet-stream" : "text/plain; charset=utf-8";
  } finally {
    await handle.close();
  }
}

/** `limit` 0: to the end. */
export async function* readFile(
  root: string,
  path: string,
  offset: number,
  limit: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const file = await openFile(root, path);
  const end = limit > 0 ? offset + limit : Number.POSITIVE_INFINITY;
  yield* chunks(file, offset, end, signal);
}

async function openFile(root: string, path: string): Promise<string> {
  const file = resolveInside(root, path);
  const info = await named(path, "stat", () => stat(file), "invalid");
  if (info.isDirectory()) throw new SteppeError("invalid", `file ${JSON.stringify(path)} is a directory`);
  return file;
}

async function* chunks(file: string, from: number, to: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const handle = await open(file);
  try {
    for (let at = from; at < to && !signal.aborted; ) {
      const chunk = await readChunk(handle, at, Math.min(CHUNK_BYTES, to - at));
      if (chunk.length === 0) return;
      at += chunk.length;
      yield chunk;
    }
  } finally {
    await handle.close();
  }
}

async function readChunk(handle: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}

export interface StreamOptions {
  readonly offset: number;
  readonly fromEnd: boolean;
  readonly follow: boolean;
  /** The bytes as they are, without frames around them. */
  readonly plain: boolean;
}

/** A file from a place on, and what is added to it, until it is deleted or nobody reads any more. */
export async function* streamFile(
  root: string,
  path: string,
  options: StreamOptions,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const file = await openFile(root, path);
  const size = (await stat(file)).size;
  const offset = options.fromEnd ? Math.max(0, size - options.offset) : options.offset;
  yield* new FrameWriter(clock, options.plain).write(follow(file, path, offset, options.follow, clock, signal), signal);
}

async function* follow(
  file: string,
  name: string,
  from: number,
  goesOn: boolean,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Frame, void> {
  let at = from;
  while (!signal.aborted) {
    const size = await sizeOf(file);
    if (size === undefined) {
      yield { File: name, Offset: at, Data: NONE, FileEvent: "file deleted" };
      return;
    }
    if (size < at) {
      at = 0;
      yield { File: name, Offset: 0, Data: NONE, FileEvent: "file truncated" };
    }
    for await (const Data of chunks(file, at, Number.POSITIVE_INFINITY, signal)) {
      yield { File: name, Offset: at, Data, FileEvent: "" };
      at += Data.length;
    }
    if (!goesOn) return;
    await clock.after(POLL_MS, signal).catch(() => undefined);
  }
}

const NONE = new Uint8Array(0);

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.size;
}

/** Failures of the system in its own words, about the path as it was asked for. */
async function named<T>(
  path: string,
  action: string,
  attempt: () => Promise<T>,
  code: "refused" | "invalid" = "refused",
): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    const { code: reason } = error as NodeJS.ErrnoException;
    const text = reason === "ENOENT" ? "no such file or directory" : reason === "ENOTDIR" ? "not a directory" : reason;
    throw new SteppeError(code, `${action} ${path}: ${text ?? String(error)}`, { cause: error });
  }
}
