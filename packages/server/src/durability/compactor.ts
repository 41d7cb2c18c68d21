import { type ChildProcess, fork } from "node:child_process";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { readJournal, recordsIn, type SnapshotFolder } from "@steppe/log";
import type { Files } from "@steppe/model";
import type { CompactionOptions, FromProcess, ProcessOptions } from "./compaction.ts";
import type { EntrySource } from "./entry-source.ts";
import { replay } from "./snapshot-replay.ts";

export interface Compaction extends CompactionOptions {
  readonly source: EntrySource;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/**
 * Makes a snapshot out of the last one and the entries behind it; it is in the folder, durably, when this
 * resolves. Rejects, and leaves the folder as it was, when it cannot be written or would hold another state
 * than the replica's.
 */
export type Compact = (compaction: Compaction) => Promise<void>;

/**
 * Nearly all that it makes stays, so a young generation of V8's heap is of little use to it; and a large one
 * would wash out of the machine's cache what the server has there.
 */
const SMALL = ["--max-semi-space-size=1", "--single-threaded-gc"];

/** In a process of its own. */
export const compact: Compact = async ({ source, signal, ...options }) => {
  signal.throwIfAborted();
  // Sources run as TypeScript, builds as JavaScript; the file has the extension of this one.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const file = fileURLToPath(new URL(`./compaction-process.${extension}`, import.meta.url));
  const journal = source.kind === "journal" ? source.folder : undefined;
  const child = fork(file, [JSON.stringify({ ...options, journal } satisfies ProcessOptions)], {
    execArgv: ["--disable-warning=ExperimentalWarning", ...SMALL],
    stdio: ["pipe", "ignore", "inherit", "ipc"],
  });
  const stop = () => child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  try {
    const fed =
      source.kind === "pieces" && feed(source.pieces((options.from ?? 0) + 1, options.index), child.stdin as Writable);
    await Promise.all([answerOf(child), fed]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
};

/** In this process, which waits for it: where there is only one, as in the simulator. */
export function compactHere(files: Files, snapshots: SnapshotFolder): Compact {
  return ({ source, signal, ...options }) =>
    replay(
      snapshots,
      options,
      (part) =>
        source.kind === "journal"
          ? readJournal(files, source.folder, part)
          : recordsIn(source.pieces(part.from, part.to), part.from),
      signal,
    );
}

/** Whether it went well. What ends without a word has failed. */
function answerOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("message", (answer: FromProcess) => {
      if (answer.kind === "written") resolve();
      else reject(new Error(answer.message));
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => reject(new Error(`the snapshot's process ended with ${signal ?? code}`)));
  });
}

/** Stops when the process takes no more, which has another end to be told of. */
async function feed(pieces: AsyncIterable<Uint8Array>, input: Writable): Promise<void> {
  input.on("error", () => undefined);
  for await (const piece of pieces) {
    const isTaken = await new Promise<boolean>((resolve) => input.write(piece, (error) => resolve(error == null)));
    if (!isTaken) return;
  }
  input.end();
}
