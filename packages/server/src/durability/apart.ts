/** Work in a process of its own, and what the two say to each other: its options, which survive JSON, and how it went. */
import { type ChildProcess, fork } from "node:child_process";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";

export interface ApartOptions {
  /** Of the snapshots. */
  readonly folder: string;
  /** Done beside those that serve, not behind them. */
  readonly urgent: boolean;
}

export type FromApart = { readonly kind: "done" } | { readonly kind: "failed"; readonly message: string };

export interface ApartCall<O extends ApartOptions> {
  /** What it runs. */
  readonly file: "compaction-process" | "upload-process";
  /** Not on its command line, which everybody on the machine may read. */
  readonly options: O;
  /** What it reads from its standard input. A piece may lie where the next will. */
  readonly input?: AsyncIterable<Uint8Array> | undefined;
  /** Gives up: the process is killed. */
  readonly signal: AbortSignal;
}

/**
 * How V8 keeps its heap. One thread collects, as more of them would at the server's expense. Nobody waits for it, so it may stand still for
 * a collection of the whole heap, which is then made once, with no trace of it in between. The young generation is small, for a large one would wash
 * out of the machine's cache what the server has there; with 1 MiB the cost of finding the heap's pages, once a collection, shows.
 */
const HEAP = ["--max-semi-space-size=8", "--single-threaded-gc", "--no-incremental-marking"];

/** Resolves when the work is done; rejects with what went wrong in it. */
export async function workApart<O extends ApartOptions>(call: ApartCall<O>): Promise<void> {
  const { signal, input } = call;
  signal.throwIfAborted();
  // Sources run as TypeScript, builds as JavaScript; the file has the extension of this one.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  // A list of processes tells by the folder whose it is.
  const child = fork(fileURLToPath(new URL(`./${call.file}.${extension}`, import.meta.url)), [call.options.folder], {
    execArgv: ["--disable-warning=ExperimentalWarning", ...HEAP],
    stdio: ["pipe", "ignore", "inherit", "ipc"],
  });
  const stop = () => child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  try {
    // Should it have ended, its end tells more than that it took no options.
    child.send(call.options, () => undefined);
    await Promise.all([answerOf(child), input && feed(input, child.stdin as Writable)]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

/** Whether it went well. What ends without a word has failed. */
function answerOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("message", (answer: FromApart) => {
      if (answer.kind === "done") resolve();
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
