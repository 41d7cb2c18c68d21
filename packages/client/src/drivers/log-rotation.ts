// Keeps a task's output files within their limits.
//
// The task holds its output file open itself, so that it goes on writing while no agent runs.
// Rotation therefore copies what is there, then empties the file under the writer (which appends):
// `<task>.stdout.<n>` with the largest n is the live one, as readers of such directories expect.
// Bytes written between the last read and the truncation are lost; both are synchronous calls in
// a row, so that is microseconds of output per rotation.
import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { LogLimits } from "./driver.ts";

const CHUNK_BYTES = 1 << 20;

export type LogStream = "stdout" | "stderr";

/** The live file of a stream: the one with the highest number, `.0` when there is none yet. */
export function liveLog(logsDir: string, task: string, stream: LogStream): string {
  const newest = logNumbers(logsDir, task, stream).at(-1) ?? 0;
  return join(logsDir, `${task}.${stream}.${newest}`);
}

/** Rotates the stream when its live file has reached the limit; deletes files beyond the number to keep. */
export function rotateLog(logsDir: string, task: string, stream: LogStream, limits: LogLimits): void {
  const numbers = logNumbers(logsDir, task, stream);
  const newest = numbers.at(-1);
  if (newest === undefined) return;
  const name = (n: number) => join(logsDir, `${task}.${stream}.${n}`);
  if (statSync(name(newest)).size < limits.fileBytesMax) return;
  // The writer's file moves on to the next number; its content so far stays under the old one.
  renameSync(name(newest), name(newest + 1));
  moveContent(name(newest + 1), name(newest));
  const kept = Math.max(1, limits.filesMax);
  for (const n of numbers) if (n <= newest + 1 - kept) rmSync(name(n), { force: true });
}

/** Ascending. */
function logNumbers(logsDir: string, task: string, stream: LogStream): number[] {
  const prefix = `${task}.${stream}.`;
  return readdirSync(logsDir)
    .filter((file) => file.startsWith(prefix) && /^\d+$/.test(file.slice(prefix.length)))
    .map((file) => Number(file.slice(prefix.length)))
    .sort((a, b) => a - b);
}

function moveContent(from: string, to: string): void {
  const source = openSync(from, "r+");
  const target = openSync(to, "w");
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let read = readSync(source, chunk); read > 0; read = readSync(source, chunk))
      writeSync(target, chunk, 0, read);
    ftruncateSync(source, 0);
  } finally {
    closeSync(source);
    closeSync(target);
  }
}
