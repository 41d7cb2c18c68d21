import { Worker } from "node:worker_threads";
import type { LogRecord, SnapshotFolder } from "@steppe/log";
import type { FromThread, ThreadOptions, ToThread } from "./compaction-protocol.ts";
import { loadReplay } from "./snapshot-replay.ts";

/** Entries from an index on, some at a time, at least one. */
export type ReadEntries = (from: number) => Promise<readonly LogRecord[]>;

export interface Compaction extends ThreadOptions {
  /** The state that the snapshot is to hold: index and digest as the replica had them. */
  readonly index: number;
  readonly digest: number;
  readonly read: ReadEntries;
}

/**
 * Makes a snapshot out of the last one and the entries behind it; it is in the folder, durably, when this
 * resolves. Rejects, and leaves the folder as it was, when it cannot be written or would hold another state
 * than the replica's.
 */
export type Compact = (compaction: Compaction) => Promise<void>;

/** In a thread of its own. */
export const compact: Compact = async ({ index, digest, read, ...options }) => {
  // Sources run as TypeScript, builds as JavaScript; the thread's file has the extension of this one.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const thread = new Worker(new URL(`./compaction-thread.${extension}`, import.meta.url), {
    workerData: options,
    name: "snapshot",
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  try {
    const answers = new Answers(thread);
    let reached = await answers.ready();
    while (reached < index) {
      const records = (await read(reached + 1)).filter((record) => record.index <= index);
      // Copies: a view would be cloned with everything behind it.
      const payloads = records.map(({ payload }) => new Uint8Array(payload));
      answers.send({ kind: "entries", first: reached + 1, payloads });
      reached = await answers.ready();
    }
    answers.send({ kind: "write", index, digest });
    await answers.written();
  } finally {
    await thread.terminate();
  }
};

/** In this thread, which waits for it: where there is only one, as in the simulator. */
export function compactHere(snapshots: SnapshotFolder): Compact {
  return async ({ index, digest, read, ...options }) => {
    const replay = await loadReplay(snapshots, options);
    while (replay.index < index) {
      const records = (await read(replay.index + 1)).filter((record) => record.index <= index);
      replay.take(
        replay.index + 1,
        records.map(({ payload }) => payload),
      );
    }
    await replay.write(index, digest);
  };
}

/** One question at a time. */
class Answers {
  readonly #thread: Worker;
  #answer = Promise.withResolvers<FromThread>();

  constructor(thread: Worker) {
    this.#thread = thread;
    thread.on("message", (message: FromThread) => this.#answer.resolve(message));
    thread.on("error", (error) => this.#answer.reject(error));
    thread.on("exit", (code) => this.#answer.reject(new Error(`the snapshot's thread ended with code ${code}`)));
  }

  send(message: ToThread): void {
    this.#thread.postMessage(message);
  }

  async ready(): Promise<number> {
    const answer = await this.#next();
    if (answer.kind !== "ready") throw new Error(`the snapshot's thread answered ${answer.kind}`);
    return answer.index;
  }

  async written(): Promise<void> {
    const answer = await this.#next();
    if (answer.kind !== "written") throw new Error(`the snapshot's thread answered ${answer.kind}`);
  }

  async #next(): Promise<FromThread> {
    const answer = await this.#answer.promise;
    this.#answer = Promise.withResolvers();
    // Its end, when nobody asks any more, is no failure.
    this.#answer.promise.catch(() => undefined);
    if (answer.kind === "failed") throw new Error(answer.message);
    return answer;
  }
}
