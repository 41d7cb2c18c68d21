// The output of a task as one text, over all the files that it was rotated into.
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@steppe/model";
import type { StreamOptions } from "./files.ts";
import { type Frame, FrameWriter } from "./frames.ts";

const CHUNK_BYTES = 64 * 1024;
const POLL_MS = 200;

export interface LogSource {
  readonly logsDir: string;
  readonly task: string;
  readonly stream: "stdout" | "stderr";
  /** The task has ended: nothing will be added. */
  ended(): boolean;
}

export async function* streamLogs(
  source: LogSource,
  options: StreamOptions,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  yield* new FrameWriter(clock, options.plain).write(follow(source, options, clock, signal), signal);
}

async function* follow(
  source: LogSource,
  { offset, fromEnd, follow: goesOn }: StreamOptions,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Frame, void> {
  let { number, at } = await placeOf(source, offset, fromEnd);
  while (!signal.aborted) {
    // Asked before the files are read: what is written after that is read, too.
    const ended = source.ended();
    const numbers = await logNumbers(source);
    for (const n of numbers.filter((it) => it >= number)) {
      // What was copied away by a rotation is where it was, under the older number.
      if (n > number) [number, at] = [n, 0];
      for await (const frame of fileFrom(source, n, at, signal)) {
        yield frame;
        at += frame.Data.length;
      }
    }
    if (!goesOn || ended) return;
    await clock.after(POLL_MS, signal).catch(() => undefined);
  }
}

/** Where to begin: the file and the place in it. */
async function placeOf(source: LogSource, offset: number, fromEnd: boolean): Promise<{ number: number; at: number }> {
  const numbers = await logNumbers(source);
  const sizes = await Promise.all(
    numbers.map(async (n) => (await stat(pathOf(source, n)).catch(() => undefined))?.size ?? 0),
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let left = fromEnd ? Math.max(0, total - offset) : offset;
  for (const [i, number] of numbers.entries()) {
    const size = sizes[i] as number;
    if (left < size || i === numbers.length - 1) return { number, at: Math.min(left, size) };
    left -= size;
  }
  return { number: 0, at: 0 };
}

async function* fileFrom(source: LogSource, n: number, from: number, signal: AbortSignal): AsyncGenerator<Frame, void> {
  const handle = await open(pathOf(source, n)).catch(() => undefined);
  if (handle === undefined) return;
  try {
    for (let at = from; !signal.aborted; ) {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, at);
      if (bytesRead === 0) return;
      const Data = buffer.subarray(0, bytesRead);
      yield { File: `alloc/logs/${fileName(source, n)}`, Offset: at, Data, FileEvent: "" };
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

function fileName({ task, stream }: LogSource, n: number): string {
  return `${task}.${stream}.${n}`;
}

function pathOf(source: LogSource, n: number): string {
  return join(source.logsDir, fileName(source, n));
}

/** Ascending. */
async function logNumbers({ logsDir, task, stream }: LogSource): Promise<number[]> {
  const prefix = `${task}.${stream}.`;
  const names = await readdir(logsDir).catch(() => []);
  return names
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
}
